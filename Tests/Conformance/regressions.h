/*
 * Bugs that were found and mended: each has a scenario, named after what went wrong.
 *
 * A scenario stands for one bug and plays only what is needed for it; what the library does in general is shown by
 * the other programs.
 */
#ifndef REGRESSIONS_H
#define REGRESSIONS_H

#include "pair.h"

typedef struct regression {
    const char *what_went_wrong; /* "it ..." */
    void (*play)(void);
} regression;

/* By subject, each ended by { NULL, NULL }. */
extern const regression close_regressions[], handshake_regressions[], interest_regressions[], limit_regressions[],
    listener_regressions[], loop_regressions[], moving_regressions[], name_regressions[], thread_regressions[];

/** Plays those whose sentence contains `wanted` (NULL: all), and checks that none keeps a descriptor. */
void play_all(const regression *each, const char *wanted);

/** What the two ends of a scenario are made of; zero is a good default for each but the version. */
typedef struct ends {
    int version;
    face client_face, server_face;
    const tlsmem_limits *client_limits, *server_limits;
    int renegotiation; /* allowed on both */
    int direct;        /* fd and registry faces: on the two halves of one socketpair, no wire between */
    tlsmem_loop *loop; /* of both, in the registry face */
} ends;

/** Makes `client`, `server` and, unless direct, `pair_wire` (pair.h). */
void open_ends(const ends *how);
/** The same, and runs the handshake. */
void establish_ends(const ends *how);
/** Checks that no byte and no callback was wrong, and frees everything but the loop. */
void close_ends(void);
/** Writes n more bytes of the end's pattern. */
void say(end *e, size_t n);
/** Runs a loop until nothing happens any more, without waiting: for loops whose peers are in this process. */
void settle_loop(tlsmem_loop *loop);
/** Drives two direct ends in the fd face until nothing happens any more. */
void settle_direct(void);
/** A pair of connected non-blocking sockets. */
void socket_pair(int pair[2]);
/** A blocking socket that has connected to a port of this machine, and waits ten seconds at most; -1 when it cannot. */
int plain_client(int port);

#endif
