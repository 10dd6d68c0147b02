/*
 * A program whose stretches are measured by whoever watches it: callgrind writes one part of its output for each, strace
 * shows where each begins and ends, and the bytes that were copied and cleared meanwhile are counted here.
 *
 * All on which a count could depend is done before: what is measured is the steady state, and start-up never counts.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

/** From here on it counts. */
void measure_begin(void);
/** Up to here: so many operations, each with so many bytes of application data (0: copies are not of interest). */
void measure_end(const char *name, long operations, size_t bytes);
/** Adds a figure of the program's own. */
void measure_note(const char *name, const char *measure, double figure);

#endif
