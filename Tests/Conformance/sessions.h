/*
 * What the programs about sessions share: one visit of a client to a server, with a session or without.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "pair.h"

/** Opens both ends and the wire between them; nothing has been driven yet. */
void visit_open(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face);
/** Runs the visit that is open to its end: bytes go both ways, and both sides close. */
void visit_run(void);
/** Frees both ends. */
void visit_end(void);
/** Runs a visit whose ends are open, and frees them; as `visit`. */
tlsmem_session *visit_go_on(const tlsmem_session *offered, int resumed);

/** A whole visit in the buffers face, which offers the session unless it is NULL, and is to be resumed or not. Returns the
 *  newest session. */
tlsmem_session *visit(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *offered, int resumed);

/** A server's context with another certificate than server.pem. */
tlsmem_ctx *server_with(const char *name, int version);
/** A client's context that trusts nobody, and does not verify. */
tlsmem_ctx *insecure_client(int version);

/** Writes a ClientHello of TLS 1.3 that comes back with n tickets at once, which nobody ever gave out. Returns its bytes. */
size_t hello_with_tickets(unsigned char *hello, size_t n);

/** Writes a session as bytes, which the caller frees. */
unsigned char *bytes_of(const tlsmem_session *session, size_t *n);

void sessions_refused(int version);
void sessions_as_bytes(int version);

#endif
