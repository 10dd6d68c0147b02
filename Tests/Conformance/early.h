/*
 * Early data: a client that comes back with a session writes before the handshake. Both ends send their pattern, of which
 * early data is the beginning, so that what is lost, sent twice or out of order shows.
 */
#ifndef EARLY_H
#define EARLY_H

#include "pair.h"

/** What the server's callback for early data has seen since early_open, and what it is to do. */
typedef struct shown {
    int calls;
    uint64_t bytes;
    int late;                     /* calls after on_established */
    void (*inside)(tlsmem *c);    /* called by each; may free the connection */
} shown;
extern shown seen;

/** Makes a server's context that takes so much; with keys not 0, with ticket keys that all of these have. */
tlsmem_ctx *early_server(size_t max_bytes, int keys);
/** Opens both ends, the server with a callback for early data unless it is to know nothing of it. */
void early_open(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, int knows);
/** Offers a session, and frees it. */
void early_offer(tlsmem_session *session);
/** Writes the next n bytes of the client's pattern as early data; returns how many were taken. */
size_t early_write(size_t n);
/** Runs an exchange of so many bytes more both ways, and closes. */
void early_run(uint64_t more);
/** Checks that both ends agree on this, have ended well, and lost nothing; gives the client's newest session. */
tlsmem_session *early_end(tlsmem_early_data expected);
/** Frees both ends. */
void early_free(void);
/** Makes a session by a visit with nothing early in it. */
tlsmem_session *early_session(tlsmem_ctx *from, tlsmem_ctx *to);
/** Moves the client's first flight over, and what the server says to that, but nothing that the client says then. */
void early_flight(void);

void early_is_refused(void);
void early_is_shown(void);
void early_is_replayed(void);

#endif
