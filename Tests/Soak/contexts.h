/* The contexts of the two processes, what they are asked, and the sessions that clients come back with. */
#ifndef CONTEXTS_H
#define CONTEXTS_H

#include "talk.h"

/** The server's: the one that its clients come to. */
tlsmem_ctx *contexts_of_server(void);
/** Puts contexts that are made anew in the place of all of them. */
void contexts_reload(void);
/** The clients': one for each kind. */
void contexts_of_clients(void);
tlsmem_ctx *context_of_kind(int kind);
/** Connections that the contexts know of. */
long contexts_connections(void);
void contexts_free(void);

/** Offers a session of an earlier connection of the same kind, where there is one. Returns whether it did. */
int sessions_offer(talk *t);
void sessions_free(void);

#endif
