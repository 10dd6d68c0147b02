/* Runs seeds, and says what became of them. */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdint.h>

/** Returns an exit code. */
int run_seeds(uint64_t from, uint64_t count, int keeps_going, int shows_hashes);

#endif
