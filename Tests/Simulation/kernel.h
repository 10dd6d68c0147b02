/*
 * A kernel of the simulator's own: sockets over wires, epoll, eventfd, for virtual descriptors.
 *
 * The functions which the library imports are defined here, and so take the place of the C library's for everybody in
 * the process. Numbers below KERNEL_FDS are the real kernel's and go there. A call on a virtual descriptor that nobody
 * has written ends the program.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "simulation.h"

#include <sys/epoll.h>

enum { KERNEL_FDS = 64, KERNEL_FDS_MOST = 4096, PORTS_EACH = 1024 };

typedef enum kind { KIND_FREE, KIND_SOCKET, KIND_EPOLL, KIND_EVENT } kind;
typedef enum stage { STAGE_FRESH, STAGE_LISTENING, STAGE_CONNECTING, STAGE_CONNECTED, STAGE_UNCONNECTED } stage;

/** Two wires: each end of it puts into its own and takes from the other. */
typedef struct cable {
    tlsmem_wire *wires[2];
    tlsmem_wire_faults faults[2];
    int ends; /* that are open */
} cable;

typedef struct sock {
    stage stage;
    int port;           /* listening, or connected to */
    int connection;     /* port % PORTS_EACH: which of the world's this is; -1 */
    int side;           /* 0 for who has connected, 1 for who has accepted */
    cable *cable;
    struct sock *peer;
    struct sock *waiting[512]; /* a listener's */
    int waiting_count;
    int64_t connects_at;
    int error;          /* for SO_ERROR, or the next call */
    int has_shut, peer_has_shut;
    int peer_is_cut;    /* what is sent from now on does not arrive, and the peer has found the end */
    int is_broken;      /* reset: receiving says so once, sending always */
    int hurries;
    int64_t arrives;    /* tlsmem_wire_ready_at of what comes in, as of the last look */
    int dry, full;      /* the last call has found nothing, or no room */
    uint64_t in_edges, out_edges;
    int64_t refuses_in_until, refuses_out_until;
    struct truth {      /* what whoever holds this descriptor was told */
        int end, reset, pipe, other; /* other: an errno */
        int refused;    /* the last send could not take everything */
        int cut;        /* the end that it has found is not the peer's */
        uint64_t received, sent;
    } truth;
    int fd;
} sock;

typedef struct item { /* of an epoll */
    int fd;
    uint32_t events;
    uint64_t data, use;
    int is_fresh;       /* added or changed, and not looked at since */
    uint64_t in_edges, out_edges;
} item;

typedef struct file {
    kind kind;
    uint64_t use;       /* a number that each opening of a descriptor has for itself */
    sock *sock;
    item *items;        /* of an epoll, with room for as many as there are powers of two */
    int item_count, item_room;
    uint64_t counter;   /* of an eventfd */
} file;

void kernel_begin(unsigned faults);
/** No more faults; what was begun goes on. */
void kernel_calms(void);
/** Counts what is still open, and forgets it; prints each to `to` unless NULL. */
int kernel_end(FILE *to);
/** Grows with everything that gets somewhere: bytes, ends, connections, and each fault that has to be waited out. */
uint64_t kernel_progress(void);
/** The next moment at which something becomes ready by itself; -1 for never. */
int64_t kernel_next(void);
/** EPOLLIN, EPOLLOUT, ... of a descriptor now. */
uint32_t kernel_ready(int fd);
/** What was told to whoever holds a socket; NULL for what is none. */
const struct truth *kernel_truth(int fd);
/** The connection's number and side of a socket. */
int kernel_connection(int fd, int *side);
/** Breaks a connection, or ends one direction of it, from outside. */
void kernel_breaks(int fd);
void kernel_ends(int fd);
/** Bytes that are under way to this socket. */
size_t kernel_in_flight(int fd);
int kernel_number_of(const sock *s);
/** As many as are open. */
int kernel_open(void);

/* ---- between its files */

static inline tlsmem_wire *in_of(const sock *s) { return s->cable->wires[1 - s->side]; }
static inline tlsmem_wire *out_of(const sock *s) { return s->cable->wires[s->side]; }
/** The socket of a descriptor; or NULL with errno. */
sock *socket_of(int fd);
/** A call of recv would have something to say. */
int sock_can_take(const sock *s);
void sock_calms(sock *s);
/** To be called when a wire of its was used: both ends look when something arrives. */
void sock_looks(sock *s);
/** So many bytes were cut small enough: larger pieces from now on. */
void sock_hurries(sock *s);

file *file_of(int fd);
int file_open(kind kind);
extern unsigned kernel_faults;
/** Whether a fault happens now; counts it. */
int strikes(fault which, unsigned permille);
void progress(void);
void sock_close(sock *s);
uint32_t sock_ready(sock *s);
int64_t sock_next(const sock *s);
uint32_t epoll_ready(file *epoll);
void epoll_forget(int fd);
int failing(int error);
void unknown_call(const char *name, int fd) __attribute__((noreturn));

#endif
