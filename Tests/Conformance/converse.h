/* A client and a server of one loop, over TCP on the loopback, who say much to each other and close. */
#ifndef CONVERSE_H
#define CONVERSE_H

#include "end.h"

/** Who speaks: made anew by each conversation. */
typedef struct conversation {
    tlsmem_loop *loop;
    tlsmem_listener *listener;
    end client, server;
    int errors, last_error; /* on_error of the listener */
} conversation;

/** Begins one of so many bytes each way. Returns 0 when there is no loop, or no listener. */
int converse_begin(conversation *t, tlsmem_ctx *client, tlsmem_ctx *server, uint64_t bytes);
/** Goes on for a turn, which waits as long as that at most. Returns what tlsmem_loop_run_once does. */
int converse_turn(conversation *t, int timeout_ms);
/** Whether both have ended, cleanly, and all bytes came. */
int converse_went_well(const conversation *t);
void converse_end(conversation *t);

/** All of it. Returns whether it went well. */
int converse(tlsmem_ctx *client, tlsmem_ctx *server, uint64_t bytes);

#endif
