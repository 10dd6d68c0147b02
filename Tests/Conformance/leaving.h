/*
 * Two ends of one socketpair, each in a loop of this thread, for scenes in which one of them leaves its loop.
 */
#ifndef LEAVING_H
#define LEAVING_H

#include "end.h"

extern tlsmem_ctx *client_ctx, *server_ctx;
extern tlsmem_loop *first, *second;
extern end client, server; /* the server's end is the one that leaves */

/** Makes both loops. */
void begin_scene(const char *name);
/** Checks what holds for every scene, and frees everything. */
void end_scene(void);
/** Makes the two ends. */
void open_two(tlsmem_loop *of_server, tlsmem_loop *of_client);
/** Turns both loops until nothing happens any more. */
void settle(void);
/** Returns how many connections are in a loop. */
uint64_t in_loop(const tlsmem_loop *loop);
/** Bytes go both ways, whole, and both ends close properly. */
void talk_and_close(void);

/** The scenes of loops that drain. */
void draining(void);

#endif
