/* measure.h - ways of doing one thing, measured beside each other. */
#ifndef MEASURE_H
#define MEASURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>

enum { ROUNDS_MAX = 101, WAYS_MAX = 4 };

/** One way: `turn` does the thing once, or `per_turn` times. */
struct way {
    const char *name;
    void (*turn)(void *state);
    void *state;
    int per_turn;
    double ns[ROUNDS_MAX]; /* what one cost, round by round */
};

/** Reads the number of rounds from the command line, or returns the usual one. */
int rounds_wanted(int argc, char **argv);
/** Nanoseconds of a clock. */
double nanoseconds(int clock);
/** The middle one of n values. */
double median(const double *values, int n);
/** Prints NAME<TAB>UNIT<TAB>VALUE. */
void print_line(const char *unit, double value, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Takes turns of every way in every round, forwards and backwards, by the processor time of this process, which other
 *  processes disturb least; prints what one costs in each: "about/way<TAB>ns<TAB>value". */
void measure(const char *about, struct way *ways, int count, int rounds);
/** How much more the second costs than the first: the median of the rounds, each of which saw the same machine. */
double ratio(const struct way *better, const struct way *worse, int rounds);
/** Ends the program with a sentence when something that cannot fail has failed. */
void require(int holds, const char *what);

#endif
