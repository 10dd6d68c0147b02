/* The clocks of the C library, for everybody in the process. */
#define _GNU_SOURCE
#include "clock.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The same in each seed; that time begins anew is nothing that a library could find out but by what it has kept. */
enum { BEGIN_MS = 100000000 };
#define BEGIN_DAY INT64_C(1860000000)

static int64_t now = BEGIN_MS, jumped;

void clock_begin(void)
{
    now = BEGIN_MS;
    jumped = 0;
}

int64_t clock_now(void)
{
    return now;
}

int64_t clock_since_begin(void)
{
    return now - BEGIN_MS;
}

void clock_forward_to(int64_t moment)
{
    if (moment > now)
        now = moment;
}

void clock_jump(int64_t seconds)
{
    jumped += seconds;
}

int64_t clock_real(void)
{
    struct timespec real;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &real);
    return real.tv_sec * 1000 + real.tv_nsec / 1000000;
}

static int64_t day_ms(void)
{
    return (BEGIN_DAY + jumped) * 1000 + now - BEGIN_MS;
}

int clock_gettime(clockid_t clock, struct timespec *answer)
{
    int64_t ms = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? day_ms() : now;
    answer->tv_sec = ms / 1000;
    answer->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

int gettimeofday(struct timeval *restrict answer, void *restrict zone)
{
    (void)zone;
    answer->tv_sec = day_ms() / 1000;
    answer->tv_usec = day_ms() % 1000 * 1000;
    return 0;
}

time_t time(time_t *answer)
{
    if (answer != NULL)
        *answer = day_ms() / 1000;
    return day_ms() / 1000;
}
