/*
 * own_loop.h - what the echo servers that bring their own loop share: their options, how a client begins, the echo
 * itself, and what is said when a client has ended. How the loop drives TLS stands in each program.
 */
#ifndef OWN_LOOP_H
#define OWN_LOOP_H

#include "common.h"

struct own_loop {
    struct options o;
    const char *greeting;
    long max, stats, verbose, ended;
    tlsmem_ctx *ctx;
};

/** Reads the command line and makes the context. Ends the program for --help and mistakes. */
void begin(struct own_loop *s, int argc, char **argv, const char *about);
/** Makes the connection of a client that has come, and begins its handshake, so that its deadline holds also for one
 *  that never says a word. fd is -1 for the buffers face. NULL, and fd is closed, without memory. */
tlsmem *welcome(struct own_loop *s, int fd, const tlsmem_callbacks *callbacks, void *user);
/** Frees a connection and closes its fd, which the loop has to have let go by then. A connection that owns its fd
 *  (tlsmem_own_fd) would close it as soon as it ends, while the loop is watching still. */
void release(tlsmem *c);
/** Sends back what came, as far as it is accepted; the rest waits in the connection. Closes it once the client has closed
 *  and everything is answered. Returns 0 when it has ended. */
int echo(tlsmem *c);
/** Says what there is to be said of a connection that has ended. Returns 1 when that was the last one that the server
 *  wants. */
int farewell(struct own_loop *s, const tlsmem *c);
/** Returns zeroed memory, for free(). Ends the program when there is none. */
void *zeroed(size_t n);

#endif
