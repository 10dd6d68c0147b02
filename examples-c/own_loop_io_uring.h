/*
 * own_loop_io_uring.h - what the two files of own_loop_io_uring have in common: the ring with its requests, and the clients.
 */
#ifndef OWN_LOOP_IO_URING_H
#define OWN_LOOP_IO_URING_H

#include "own_loop.h"
#include <liburing.h>
#include <sys/queue.h>

/** Who is to hear of a completion. */
struct request {
    void (*done)(void *of, int result, unsigned flags);
    void *of;
};

enum { GROUP = 1, BUFFERS = 64, BUFFER_BYTES = 16384 };
struct server {
    struct own_loop all;
    struct io_uring ring;
    struct request accepted, stopped, provided;
    int listener, accepting, done;
    int64_t alarm; /* the first deadline, or a moment before it; -1 for none */
    LIST_HEAD(clients, client) clients;
    char buffers[BUFFERS][BUFFER_BYTES]; /* for who has sent something: the kernel chooses one when it has come */
};

struct client {
    struct server *server;
    tlsmem *c;
    struct request received, sent;
    int fd, receiving;
    char *sending;  /* a copy; NULL while no send is under way */
    int broken;     /* the transport has failed */
    int gone;       /* nothing is to be done any more but to wait for what is under way */
    int64_t linger; /* once the connection has ended: when the client is left alone; else -1 */
    LIST_ENTRY(client) others;
};

/** Returns a free entry of the submission queue, which is submitted at the next wait, or when the queue is full. */
struct io_uring_sqe *entry(struct server *s);
/** Asks to be woken at a moment of tlsmem_now, or sooner; -1 for never. */
void wake_at(struct server *s, int64_t moment);
/** Gives buffers back to the kernel. */
void provide(struct server *s, int first, int count);
/** Has one client accepted, unless that is under way. */
void accept_next(struct server *s);

/** Begins a connection with a client that was accepted. */
void add_client(struct server *s, int fd);
/** Tells a client's connection what time it is. It may be freed by that. */
void tick_client(struct client *e, int64_t now);
/** Ends a client at once. It is freed when what is under way has come back, perhaps by then already. */
void end_client(struct client *e);

#endif
