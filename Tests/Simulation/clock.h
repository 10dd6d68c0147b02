/* The virtual clock: it moves when everybody waits, and the time of day may jump. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

void clock_begin(void);
/** CLOCK_MONOTONIC, in milliseconds. */
int64_t clock_now(void);
int64_t clock_since_begin(void);
void clock_forward_to(int64_t moment);
/** The time of day jumps by so many seconds, either way. */
void clock_jump(int64_t seconds);
/** Time as it really passes, in milliseconds, for figures. */
int64_t clock_real(void);

#endif
