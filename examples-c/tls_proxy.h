/*
 * tls_proxy.h - what the files of tls_proxy share.
 *
 *     tls_proxy.c            the program: options, contexts, threads, signals
 *     tls_proxy_clients.c    accepting: how a session begins
 *     tls_proxy_upstream.c   the upstream: where it is, and how a session gets there
 *     tls_proxy_pipe.c       the session itself: bytes both ways, and how they end
 *     proxy_protocol.c       the PROXY header
 */
#ifndef TLS_PROXY_H
#define TLS_PROXY_H

#include "common.h"
#include <pthread.h>

enum { PIECE = 131072 };

/** A name and port, or the path of a Unix socket. */
struct place {
    const char *host, *path;
    long port;
    struct addrinfo *addresses; /* of an upstream in plain: looked up once, at the start */
};

/** What may be counted by any thread, at any time. */
struct counts {
    uint64_t accepted, active, failed, to_plain, to_tls;
};
#define COUNT(field, n) __atomic_fetch_add(&(field), (n), __ATOMIC_RELAXED)

struct proxy {
    struct options options;
    struct place upstream;
    const char *server_name;
    tlsmem_role role;     /* that we play in TLS: --mode */
    int listener;         /* one socket, at which all threads accept */
    long accepting, ended; /* how many threads do still, and how many have ended */
    long threads, stats, drain, idle, verbose, send_proxy, accept_proxy;
    long sessions_max;    /* of each thread */
    tlsmem_ctx *ctx;      /* of new sessions; at SIGHUP another one takes its place */
    pthread_t main;
    struct counts counts;
};

/** One loop, and one thread. */
struct worker {
    struct proxy *proxy;
    tlsmem_loop *loop;
    pthread_t thread;
    long sessions;
    int draining;
    char piece[PIECE]; /* what was read last from a plain side: no session keeps it */
    struct session *gathering; /* whose bytes these are, for its plain side; NULL for none */
    size_t gathered;
    char gather[PIECE];
};

/** A client and its upstream; one of them speaks TLS, the other does not. */
struct session {
    struct worker *worker;
    tlsmem *c;                  /* NULL when it has ended, or is not yet there */
    int fd;                     /* the plain side, or -1 */
    int watched;                /* for which events */
    struct addrinfo *next;      /* where to connect to, after this attempt */
    tlsmem_timer *timer;        /* for what must not last: a PROXY header, the end of a session */
    struct bytes header;        /* the PROXY header, until the upstream is told */
    struct bytes out;           /* what the plain side does not take yet */
    int tries;                  /* to be let into a Unix upstream's queue */
    unsigned connecting : 1;    /* the plain side */
    unsigned queueing : 1;      /* and it is tried again later */
    unsigned plain_ended : 1;   /* it says no more */
    unsigned plain_deaf : 1;    /* it takes no more */
    unsigned plain_lost : 1;    /* it was reset, and what it said before is still to be read */
    unsigned plain_failed : 1;  /* it was reset, or cannot be connected */
    unsigned plain_told : 1;    /* of the end of the other side */
    unsigned tls_ended : 1;     /* the TLS side says no more */
    unsigned tls_told : 1;      /* of the end of the other side */
    unsigned failed : 1;        /* the TLS side has not ended well */
    unsigned paused : 1;        /* the TLS side, until `out` is empty */
    unsigned settling : 1;
};

/** Says on stderr, if it is wanted, what became of a session; error is an errno, or 0. */
void complain(const struct session *s, const char *what, int error);

/** Finds how many sessions a thread may have: those that are wanted, or for which there are descriptors. */
void limit_sessions(struct proxy *p);
/** Begins the TLS side, in client mode with its upstream. The session may be gone after it. */
void begin_tls(struct session *s);
/** Accepts clients in a worker's loop; or no more, in no worker's once all have stopped. */
void start_accepting(struct worker *w);
void stop_accepting(struct worker *w);
/** The session's memory and plain descriptor go, and nobody hears of it any more. */
void end_session(struct session *s);

/** HOST:PORT, [HOST]:PORT or unix:PATH. Ends the program for anything else. */
void parse_place(const char *option, const char *text, struct place *place);
/** Finds its addresses. Ends the program when there are none. */
void look_up_place(struct place *place);
/** Prepares a plain socket: small pieces go out at once. */
void set_up(int fd);
/** Connects a plain side whose TLS is established, or fails it when there is no way. */
void connect_plain(struct session *s);
/** The plain side is writable: connected, or to be tried elsewhere. Returns 1 once it is connected. */
int plain_connected(struct session *s);
/** Closes the plain side, if there is one. */
void close_plain(struct session *s);
/** Has it connect again in a while, when `error` only says that a Unix upstream's queue is full. Returns 0 for other errors,
 *  and when that has lasted too long. */
int try_later(struct session *s, int error);
/** Connects the TLS side of a session in client mode. Returns a tlsmem_status. */
int connect_tls(struct session *s);

/** What a connection of a session calls. */
extern const tlsmem_callbacks pipe_callbacks;
/** Sends what was gathered; to be called before the loop waits. */
void send_gathered(struct worker *w);
/** The plain side is ready; what was watched for. */
watcher pipe_ready;
/** Does what has become possible, and sees what is to be waited for. The session may be gone after it. */
void settle(struct session *s);

#endif
