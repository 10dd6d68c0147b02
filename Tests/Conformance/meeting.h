/*
 * One connection of a client to a server, in memory, between contexts that the test has made.
 */
#ifndef MEETING_H
#define MEETING_H

#include "pair.h"

/** Runs a connection to its end: bytes go both ways, and both sides close, unless one refuses the other. The client asks
 *  for host, unless that is NULL, and offers the session, unless that is NULL. */
void meet(tlsmem_ctx *from, tlsmem_ctx *to, const char *host, const tlsmem_session *offered);
/** Frees both ends of it. */
void part(void);
/** Copies what failed on a connection. */
tlsmem_error_info error_of(const tlsmem *c);
#endif
