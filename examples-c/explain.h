/*
 * explain.h - how everything stands, for a person: SIGUSR1 has a server print it on stderr, while it goes on.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "common.h"

/** Has SIGUSR1 print a line for each loop, listener and connection, and one that says it was all. Call it before there are
 *  other threads, which inherit what is blocked; `e` stays where it is, and so do the loops. */
struct explaining {
    tlsmem_loop *const *loops;
    long n;
};
void explain_at_signal(struct explaining *e, tlsmem_loop *const *loops, long n);
/** Does so now. Each loop says its part in its own thread, beside the others. */
void explain_loops(tlsmem_loop *const *loops, long n);

/** For a program with a loop of its own: a descriptor that becomes readable at SIGUSR1, which then does nothing else. */
int explain_descriptor(void);
/** Takes the signal from that descriptor. Returns 1 when there was one. */
int explain_begin(int fd);
/** Prints the line of one connection; and at the end that it was all, and how many lines there were. */
void explain_one(const tlsmem *c);
void explain_end(size_t lines);

#endif
