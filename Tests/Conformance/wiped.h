/*
 * What the programs that look for secrets in memory share: the search, and visits between this process and another.
 */
#ifndef WIPED_H
#define WIPED_H

#include "support.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <sys/wait.h>
#include <unistd.h>

/** The end of each secret is searched for: malloc writes to the beginning of what is freed. */
enum { MASK = 0x5a, LENGTH = 16, SECRETS = 16 };

struct secret { const char *name; int is_brief; unsigned char masked[LENGTH]; };
extern struct secret secrets[SECRETS];
extern int secret_count;

/** Notes what is to be searched for, at least LENGTH bytes, and clears it. */
void remember(const char *name, void *bytes, size_t n);
/** The same of the secret that a session resumes by. */
void remember_session(const char *name, const tlsmem *c);
/** Checks that each is there, or that none is; then they are forgotten. */
void all_are(int there);

/** Makes a connection over this descriptor, which answers "?" with "!", and says in `answered` that it was answered. */
tlsmem *begin_visit(tlsmem_ctx *ctx, int fd, int *answered, const tlsmem_session *session);
/** Waits for the descriptor, and drives. */
void turn(tlsmem *c);
/** Asks, waits for the answer; the connection stays open. */
void ask(tlsmem *c, int *answered);
/** Drives to the end. */
void leave(tlsmem *c);
/** Makes both ends of a visit's socket. */
void open_pair(int fds[2]);
/** The other process: one end of a visit. Returns its number; the other end is fds[0]. */
pid_t start_peer(tlsmem_ctx *ctx, int fds[2], int asks);
/** Waits for the end of the other process, which went well. */
void end_peer(pid_t peer);

/** A client comes, and gets a ticket. */
void visited(tlsmem_ctx *to, tlsmem_ctx *from);
/** What is searched for is there before a visit and after it, and gone with both contexts, which are freed. */
void kept_until_freed(tlsmem_ctx *to, tlsmem_ctx *from);

/** Private keys of files. */
void keys_of_files(void);
/** Keys that the program sets, and takes away. */
void keys_of_the_program(int version);
/** What the program answers with, and is given to keep. */
void answers_of_the_program(int version);

#endif
