/*
 * What the programs about trust share.
 */
#ifndef TRUST_H
#define TRUST_H

#include "meeting.h"

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
