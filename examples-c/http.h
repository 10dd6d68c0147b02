/*
 * http.h - what the files of https_server and h2_server share.
 *
 *     https_server.c, h2_server.c   the programs: HTTP/1.1 alone, or HTTP/2 for clients that choose it by ALPN
 *     http_server.c                 options, threads, SIGTERM
 *     http_clients.c                a client, from when it is accepted to its end
 *     http1.c, http1_parser.c       a client of HTTP/1.0 or 1.1: answers in turn; requests, as http_parser sees them
 *     http2.c, http2_streams.c      a client of HTTP/2: the session, as nghttp2 sees it; its streams
 *     http_answer.c                 a request and its answer, whichever way they travel
 *     http_files.c, http_path.c     answers from files: ranges, conditions; what a path means, and no way out of the root
 *     http_metrics.c                what the connections have counted, for Prometheus
 *     http_types.c, http_log.c      what a file's name says it is; the access log
 */
#ifndef HTTP_H
#define HTTP_H

#include "common.h"
#include <pthread.h>

enum {
    PIECE = 65536,       /* bytes of a body that are read at once */
    HOLD = 65536,        /* of a body of unknown length so many come before its echo begins: until then 413 can be said */
    THREADS_MAX = 256,
    GRACE_MS = 3000,     /* after SIGTERM answers that are under way may take so long, */
    CLOSE_MS = 2000      /* and clients so long to say goodbye */
};

struct protocol;

struct server {
    struct options options;
    const char *root_name, *log_name;
    long threads, timeout, head_max, body_max, metrics, stats, verbose;
    tlsmem_ctx *ctx;
    int root;                     /* the directory, or -1 */
    FILE *log;                    /* or NULL */
    const struct protocol *h2;    /* what clients get that choose "h2", or NULL */
    struct worker *workers;
    int signals, stopping;
};

/** One loop, and one thread. */
struct worker {
    struct server *server;
    tlsmem_loop *loop;
    pthread_t thread;
    struct client *clients;
    int leaving;                  /* SIGTERM has come */
    char piece[PIECE];            /* what is on its way from a file to a client: no client keeps it */
};

/** A connection. */
struct client {
    struct worker *worker;
    tlsmem *c;
    const struct protocol *protocol; /* NULL before it is known */
    void *state;                     /* the protocol's */
    tlsmem_timer *timer;
    struct client *next, **link;
    char host[64];                   /* its address */
    int settling;                    /* how many calls of settle are under way */
    unsigned over : 1, paused : 1, gone : 1;
};

/** How a client is spoken to. All but `end` end by calling settle. */
struct protocol {
    int (*begin)(struct client *client); /* returns 0 when it cannot */
    void (*received)(struct client *client, const void *bytes, size_t n);
    void (*go_on)(struct client *client);  /* what was written has left, or nearly */
    void (*ended)(struct client *client);  /* the client says no more */
    void (*leave)(struct client *client);  /* the server wants to end: after what is under way */
    void (*late)(struct client *client);   /* the time of remind_in is over */
    void (*end)(struct client *client);    /* the connection is gone */
};
extern const struct protocol http1, http2;

/** Accepts a client for the worker of its loop; has all clients of a worker leave, in its thread. */
acceptor accept_client;
void leave_clients(void *worker);
/** Calls `late` so many milliseconds from now, and not before. */
void remind_in(struct client *client, int64_t ms);
/** Writes all of the pieces; a connection that cannot take them is over. */
void send_pieces(struct client *client, const struct iovec *pieces, int count);
/** Closes the connection if it is over, and stops reading while it is full. The client may be gone after it. */
void settle(struct client *client, int full);
/** Runs a server: the whole program, but for the protocols that it speaks. */
int serve(int argc, char **argv, const char *about, const char *alpn, const struct protocol *h2);

/** A request and its answer. Fields stand one after another as "name\0value\0". */
struct exchange {
    struct client *client;
    struct bytes request;      /* fields that came; the first line too, as HTTP/2 has it: ":method" and ":path" */
    long long length;          /* of the request's body, or -1 when it is not known beforehand */
    long long came, sent;      /* bytes of bodies, so far */
    const char *version;       /* "HTTP/1.1" */
    int status;                /* of the answer: 0 before it is decided */
    struct bytes answer;       /* fields to send */
    struct bytes body;         /* to send, so far as it is there; or */
    int fd;                    /* a file to send, or -1: */
    long long at, left;        /* this part of it */
    unsigned request_over : 1; /* all of it has come */
    unsigned echo : 1;         /* the request's body is the answer's */
    unsigned silent : 1;       /* the answer has no body, whatever its fields say */
    unsigned urgent : 1;       /* answer now: the rest of the request is not wanted */
    unsigned begun : 1;        /* the answer's head is sent */
    unsigned failed : 1;       /* the answer that was begun cannot be ended */
};

void exchange_begin(struct exchange *x, struct client *client);
/** Logs it, if it had come as far as an answer, and gives back what it holds; it may begin anew. */
void exchange_end(struct exchange *x);
/** Returns the value of a field of the request, or NULL. */
const char *request_field(const struct exchange *x, const char *name);
/** The next field of a block of them, from *at on. Returns 0 at the end. */
int next_field(const struct bytes *fields, size_t *at, const char **name, const char **value);
/** Adds a field to an answer. */
void answer_field(struct exchange *x, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** The fields have come: decides what to answer. */
void decide(struct exchange *x);
/** Answers with a status and a line about it, instead of all that was decided. */
void refuse(struct exchange *x, int status);
/** Bytes of the request's body have come. */
void body_comes(struct exchange *x, const void *bytes, size_t n);
/** Returns 1 when the answer may begin. */
int answer_is_ready(const struct exchange *x);
/** Takes the next bytes of the answer's body. Returns 0 when none are there yet, and -1 when they cannot be had. */
ssize_t answer_piece(struct exchange *x, void *piece, size_t n);
/** Returns 1 when all bytes of its body were taken. */
int answer_is_over(const struct exchange *x);

/** Answers GET and HEAD from the root. */
void answer_with_file(struct exchange *x, const char *path);
/** Answers GET and HEAD with what all connections of TLS have counted. */
void answer_with_metrics(struct exchange *x);
/** Finds the path in a request's target, "%2e" undone, without its first slash. Returns 0 when it is none. */
int decode_path(const char *target, struct bytes *path);
/** Opens what a path means below a directory, for reading. Returns -1 with errno, also when it would lead out of it. */
int open_below(int root, const char *path);
/** Returns the type of a file by its name. */
const char *type_of(const char *path);
/** Writes a moment as HTTP has it; `text` has room for 30. */
enum { DATE_ROOM = 30 };
void http_date(time_t moment, char *text);
/** Writes an exchange into the access log. */
void log_exchange(const struct exchange *x);

#endif
