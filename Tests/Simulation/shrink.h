/* What has failed, and the smallest choices with which it still does. */
#ifndef SHRINK_H
#define SHRINK_H

#include <stdint.h>

typedef struct failure {
    const char *invariant;
    int connection;
    char sentence[512];
} failure;

/** The journal's hash of the last seed. */
extern uint64_t seed_hash;
/** Runs the chosen seed. Returns whether all invariants held. */
int simulate(failure *why);
/** Prints what has failed, what happened last, and the command that does it again. */
void print_failure(const failure *why);
/** Halves a seed that fails for as long as it fails in the same way. Returns an exit code. */
int shrink(uint64_t seed);

#endif
