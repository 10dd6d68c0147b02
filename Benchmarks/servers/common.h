/* common.h - what the benchmark servers share: their options, what they do with what they get, and a plain epoll loop. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>

enum work {
    WORK_ECHO,     /* every byte back */
    WORK_DOWNLOAD, /* blocks without end, from the moment that the connection is there */
    WORK_SINK,     /* nothing: it only reads */
    WORK_HTTP      /* the same small response to every request */
};

struct options {
    const char *host, *cert, *key;
    int port, loops, read_ahead;
    enum work work;
    size_t size; /* of one write of a download */
};
extern struct options options;

/* Reads the command line into `options`; ends the program when it is none. */
void parse_options(int argc, char **argv);
/* Says where it listens, in the one line that the runner waits for. */
void say_listening(int port);
/* Ends the program with a sentence. */
_Noreturn void fail(const char *what);

/* The block that a download is made of, options.size bytes. */
extern char *block;

struct answer {
    const char *bytes;
    size_t n;
};
/* What the program says to n bytes that came. `matched` is the connection's own, 0 at its beginning. */
struct answer answer_to(unsigned *matched, const char *bytes, size_t n);

/* One connection of the epoll loop; a server puts it first in its own struct. */
struct conn {
    int fd;
    uint32_t watched; /* what epoll knows */
};
/* What is different from server to server. `open` and `ready` return the epoll events to wait for, 0 when it has ended. */
struct face {
    size_t conn_size;
    uint32_t (*open)(struct conn *);
    uint32_t (*ready)(struct conn *, uint32_t events);
    void (*end)(struct conn *);
};
/* Listens, and serves with level-triggered epoll until it is killed: epoll_ctl only when what is waited for changes. */
int serve(const struct face *face);
/* A connected socket, as every server here wants it: without blocking and without Nagle's delay. */
int accepted(int listener);
int listening(void);

/* Bytes that a socket did not take. */
struct rest {
    char *bytes;
    size_t at, n;
};
void keep(struct rest *rest, const char *bytes, size_t n);
/* Sends all of it, or keeps what the socket does not take. Returns 0, or -1 when the connection is gone. */
int send_or_keep(int fd, struct rest *rest, const char *bytes, size_t n);
/* Sends what was kept. Returns the same. */
int send_rest(int fd, struct rest *rest);

enum {
    READ_BYTES = 16384,         /* of one read of plaintext: a record */
    READ_BYTES_A_TURN = 262144, /* of one connection, before the others have theirs */
    WRITE_BYTES_A_TURN = 1048576
};

#endif
