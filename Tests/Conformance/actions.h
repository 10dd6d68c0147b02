/*
 * What a program may do inside a callback, and the world it does it in: the subject whose callback it is, another
 * connection beside it (in the same loop, if there is one), and one that may be added; each with a peer in memory.
 */
#ifndef ACTIONS_H
#define ACTIONS_H

#include "wire.h"

typedef enum action {
    ACT_WRITE, ACT_PAUSE, ACT_RESUME, ACT_CLOSE, ACT_CLOSE_WRITE, ACT_ABORT, ACT_FREE, ACT_TAKE_FD, ACT_REMOVE, ACT_ADD,
    ACT_FREE_OTHER, ACT_DRIVE, ACT_KEY_UPDATE, ACT_LOOP_STOP, ACT_SET_CALLBACKS, ACTIONS
} action;
extern const char *const action_names[ACTIONS];

typedef struct world {
    tlsmem_loop *loop;          /* of the subject and the other; NULL in the buffers and fd faces */
    face face;
    tlsmem_ctx *subject_ctx, *peer_ctx;
    end subject, peer, other, other_peer, added, added_peer;
    wire subject_wire, other_wire, added_wire;
    action act;
    int acted, has_added;
    int ended_by_us;            /* the action ended the subject, or its sending */
    uint64_t received_at_pause;
    int paused;
} world;

/** Does world->act with the subject, once. The subject is in a callback, its own or one of its loop. */
void act(world *w);
/** Opens two ends of a kind, and the wire between them. */
void world_pair(world *w, end *ours, end *peer, wire *wire, uint64_t seed);

#endif
