/* Two parties over a pair of the test kit, each with so many pattern bytes to send: the server is side 0, the client 1. */
#ifndef PAIRS_H
#define PAIRS_H

#include "support.h"

/** Where a party frees its connection, or the whole pair. */
typedef enum frees { FREES_NEVER, FREES_ESTABLISHED, FREES_DATA, FREES_CLOSE, FREES_PAIR } frees;

typedef struct party {
    tlsmem *c;
    uint32_t number;
    uint64_t to_send, sent, received;
    int answers;             /* whatever comes with a byte */
    int stays_open;          /* it does not close when it has sent all */
    frees frees;
    int established, closes, status, wrong;
    int64_t closed_at;
} party;

extern tlsmem_ctx *client_ctx, *server_ctx;
extern tlsmem_pair *pair;
extern party parties[2];

/** Makes the contexts of all pairs that follow; NULL for the usual limits. */
void contexts(int version, const tlsmem_limits *limits);
void open_pair(uint64_t to_send);
/** Of the wire on which that side sends. */
void set_faults(int side, const tlsmem_wire_faults *faults);
void ends_with(int server, int client);

/** Who waits for what, and deadlines. */
void waiting(int version);
/** Those that change by themselves. */
void keys(int version);
/** Connections and pairs that are freed at every moment. */
void freeing(int version);

#endif
