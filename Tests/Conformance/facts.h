/*
 * What the two files about facts share: a visit whose ends are still there afterwards.
 */
#ifndef FACTS_H
#define FACTS_H

#include "pair.h"

/** Runs a visit of a client to a server to its end, with a session unless that is NULL. */
void visit(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session);
/** Frees both ends. */
void leave(void);
/** Returns the text of one or two files of the certificate folder; the caller frees it. */
char *texts(const char *first, const char *second);
/** Makes a server's context with a certificate, which asks its clients for one or not. */
tlsmem_ctx *server_with(const char *name, int version, int asks);

/** Copies text about the peer of `c` to `text`; "" when there is none. */
#define TEXT(call) text_of(call(c, NULL, 0), text, sizeof text, call(c, text, sizeof text))
const char *text_of(ptrdiff_t asked, char *text, size_t room, ptrdiff_t got);

#define CHECK_VERIFIED(c, expected, place, part) check_verified(__FILE__, __LINE__, c, expected, place, part)
void check_verified(const char *file, int line, const tlsmem *c, long result, int depth, const char *part);

void verification(int version);
void refused_client(int version);
void judged(int version);

#endif
