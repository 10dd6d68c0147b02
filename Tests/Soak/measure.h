/* What processes occupy, asked for from outside; the table of it; and whether it was flat. */
#ifndef MEASURE_H
#define MEASURE_H

#include "soak.h"

enum { QUIETS_MOST = 40 };

/** How both were when no connection was left. */
typedef struct quiet_point {
    double part; /**< of the run */
    quiet of[SIDES];
} quiet_point;
extern quiet_point quiets[QUIETS_MOST];
extern int quiets_count;

/** Begins the table. NULL for none. */
void table_begin(const char *path);
/** Adds a row for each process. */
void table_sample(double seconds);
/** Adds what the processes said of themselves, and keeps it to be judged. */
void table_quiet(double seconds, double part);
void table_end(void);

/** Prints where it has come to. */
void print_progress(double seconds);
/** Prints what was done, and checks that nothing is left of it. */
void judge_all(void);

#endif
