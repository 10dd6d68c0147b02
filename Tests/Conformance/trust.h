/*
 * What the programs about trust share: one connection of a client to a server, in memory.
 */
#ifndef TRUST_H
#define TRUST_H

#include "pair.h"

/** Runs a connection to its end: bytes go both ways, and both sides close, unless one refuses the other. The client asks
 *  for host, unless that is NULL, and offers the session, unless that is NULL. */
void meet(tlsmem_ctx *from, tlsmem_ctx *to, const char *host, const tlsmem_session *offered);
/** Frees both ends of it. */
void part(void);
/** Copies what failed on a connection. */
tlsmem_error_info error_of(const tlsmem *c);
/** Lets a context show what nobody should: weak keys, signatures by MD5. */
void without_scruples(tlsmem_ctx *ctx);
/** Turns 64 hexadecimal digits into a pin, and pins it. */
void pin(tlsmem_ctx *ctx, const char *digits);

/** As it was started. */
extern const char *program_path;

/** Every case of the manifest of Tests/corpus. */
void corpus(int version);
/** Sessions, and contexts that trust otherwise than those which made them. */
void sessions_and_trust(int version);
/** Sessions of clients that are not what they were. */
void who_comes_again(int version);
/** Connections that change to another context. */
void changes_of_trust(int version);
/** An SSL_CTX that is kept when its context has gone. */
void kept_contexts(int version);
/** The authorities that a server names. */
void names_told(int version);
/** Prints the bytes of a session that a server's context of this process has made: for another process. */
void print_session(int version);

#endif
