/*
 * What the two files about certificates that are asked for later share.
 */
#ifndef POSTAUTH_H
#define POSTAUTH_H

#include "pair.h"

extern int told;                 /**< how often on_done was called */
extern void (*inside)(end *e);   /**< what else is done in it */
void on_done(tlsmem *c, void *user);

/** Makes a server's context that verifies clients. */
tlsmem_ctx *asking(tlsmem_verify verify, int version);
/** Makes a client's, with a certificate, or without: NULL. */
tlsmem_ctx *asked(const char *name, int offers, int version);
/** Establishes a connection between them, with a session unless that is NULL. */
void meet(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session);
/** Sends so many bytes each way, and closes. */
void part(uint64_t bytes);
/** Frees both ends and both contexts. */
void leave(tlsmem_ctx *from, tlsmem_ctx *to);
/** Checks who the server takes the client for: "" for nobody. */
void check_client(const char *expected);

void verdicts(void);
void ends_in_the_callback(void);
void no_answer(void);

#endif
