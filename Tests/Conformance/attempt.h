/*
 * One tlsmem_loop_connect of a test, and whom it connects to: echo servers in the same loop, places where nobody
 * listens, and places that never answer.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "end.h"
#include "resolver.h"

#include <netinet/in.h>
#include <sys/un.h>

/* ---- places */

typedef union place {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un local;
} place;

/** An address of this machine as text, "127.0.0.2" or "::1", with a port; or a path, "@name" for an abstract one. */
place place_of(const char *text, int port);
socklen_t place_length(const place *p, const char *text);

/** Listens there, in the loop, with an echo server; port 0 becomes a free one. Returns the socket. */
int serve(tlsmem_loop *loop, const char *text, int *port);
void serve_no_more(tlsmem_loop *loop, int fd);
/** How many clients the echo servers have accepted. */
extern int served;

/** A listener whose queue is full, so that whoever connects gets no answer; -1s when there is no such address. */
typedef struct silent { int fds[3]; } silent;
silent keep_silent(const char *text, int port);
void speak_again(silent *s);

/** A port of 127.0.0.1 that somebody has and where nobody listens. Returns the socket. */
int refuse(int *port);

/* ---- the connect */

typedef struct attempt attempt;
struct attempt {
    end e; /* first: its address is the user pointer */
    tlsmem_connect_options options;
    int attempts, failures;     /* calls of on_attempt, and those with an error */
    int last_errno;
    char last[64];              /* the address of the last call */
    char all[256];              /* of all of them */
    int is_returning;           /* the call has not returned yet */
    void (*in_attempt)(attempt *a, int sys_errno);
};

/** The contexts of the client and of the echo servers. */
extern tlsmem_ctx *client_ctx, *server_ctx;

/** Makes a client without a name of its own, with options for a host and a port, or for a path. */
void attempt_open(attempt *a, const char *host, int port);
void attempt_open_path(attempt *a, const char *path);
/** Connects; checks that nothing is called back meanwhile and how it looks then. */
void attempt_begin(attempt *a, tlsmem_loop *loop);
/** Turns the loop until something is handled; 0 when nothing happens any more. */
int turn(tlsmem_loop *loop);
/** Turns the loop until the condition holds; 0 when nothing happens any more. */
int turn_until(tlsmem_loop *loop, int (*over)(const attempt *a), const attempt *a);
int established(const attempt *a);
int ended(const attempt *a);
/** Sends bytes, waits for their echo, and closes: all that a connection can do. Checks it. */
void attempt_converses(attempt *a, tlsmem_loop *loop);
/** Checks that it ended with this, once, and that the sentence has both words in it. */
void attempt_failed(attempt *a, int status, int sys_errno, const char *word, const char *other);
/** Frees it, and lets the loop settle. */
void attempt_finish(attempt *a);

#endif
