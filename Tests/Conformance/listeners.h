/*
 * What the tests of listeners share: a server that echoes, and visitors, who say something and wait for the echo.
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include "support.h"

extern tlsmem_ctx *client_ctx, *server_ctx;
/** The echo server: its callbacks, and what its on_accept and on_error have seen. on_accept counts and takes everybody. */
extern const tlsmem_callbacks echo_callbacks;
extern int accepted_count, errors, last_error;
int echo_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user);
void count_error(tlsmem_listener *listener, int sys_errno, void *user);
/** Options with these two, for 127.0.0.1; the counts are 0. */
tlsmem_listen_options echo_options(void);
/** Listens with the server's context; it has to work. */
tlsmem_listener *listen_in(tlsmem_loop *loop, const tlsmem_listen_options *options);

/** A client in a loop, which says its word, and leaves when it was told to and has the echo. */
typedef struct visitor {
    tlsmem *c;
    int fd, stays;
    int answered, closes;
    tlsmem_report_info report;
} visitor;
/** Takes the fd of a connected socket over; it is closed with the connection. */
void visit(visitor *v, tlsmem_loop *loop, int fd, int stays);
/** tlsmem_close for one that stays. */
void leave(visitor *v);
/** Runs the loop until all of them have their echo, and have left if they were to; returns how many did. */
int all_served(tlsmem_loop *loop, visitor *all, int count);

/** Sockets that have connected, non-blocking; -1 with errno. */
int tcp_client(const char *host, int port);
int unix_client(const char *path);
/** Runs a loop until nothing happens any more, without waiting. */
void settle(tlsmem_loop *loop);
/** Whether the peer of a plain socket has closed it. */
int was_closed(int fd);

void places(void);
void unix_places(void);
void inherited(const char *program);
/** What the program does instead, when the test of inherited sockets has started it. Returns its exit code. */
int as_service(void);
void limits_of_listeners(void);
void handovers(void);
void handovers_in_threads(void);

#endif
