/*
 * Clocks that a test turns: CLOCK_MONOTONIC may stand still until somebody waits, and the time of day may jump.
 *
 * Linked into a test program, its clock_gettime, gettimeofday, time and epoll_wait come before the C library's, for
 * every library in the process. While time stands still, epoll_wait never sleeps: the clock moves by what it was to wait.
 */
#ifndef FALSE_CLOCK_H
#define FALSE_CLOCK_H

#include <stdint.h>

/** From now on CLOCK_MONOTONIC stands still, or with 0 runs as it does. */
void false_clock(int stands_still);
/** Moves the clock that stands still. */
void false_clock_forward(int64_t ms);
/** Has the time of day jump by so many seconds, either way, once more at each call. */
void false_clock_jump(int64_t seconds);
/** From now on the time of day stands still, however long the machine takes. */
void false_clock_hold_day(void);
/** The time of day is the real one again. */
void false_clock_let_day_go(void);
/** How often epoll_wait was called. */
long false_clock_waits(void);
/** How often the library under test has asked for any other time than CLOCK_MONOTONIC. */
long false_clock_asked(void);

#endif
