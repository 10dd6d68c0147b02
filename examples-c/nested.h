/*
 * nested.h - the echo server of the registry, for programs that put the library's loop into another one. It does what
 * echo_server.c does; how the one loop is nested in the other stands in each program.
 */
#ifndef NESTED_H
#define NESTED_H

#include "explain.h"
#include "own_loop.h"

struct nested {
    struct own_loop all;
    tlsmem_loop *loop;
    struct explaining explaining;
    int done; /* enough connections have ended */
};

/** Reads the command line, makes the loop, and listens in it. Ends the program on failure. */
void begin_nested(struct nested *s, int argc, char **argv, const char *about);
/** Ends the connections that are left, and frees the loop. */
void end_nested(struct nested *s);

#endif
