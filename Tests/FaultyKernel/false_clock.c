#define _GNU_SOURCE
#include "false_clock.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>

static struct {
    int stands_still;
    int64_t now;  /* milliseconds, while it does */
    int64_t jump; /* seconds, of the time of day */
    struct timespec day; /* which stands still, unless this is 0 */
    long waits, asked;
} state;

static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_wait)(int, struct epoll_event *, int, int);

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

__attribute__((constructor)) static void look_up(void)
{
    *(void **)&real_gettime = real("clock_gettime");
    *(void **)&real_wait = real("epoll_wait");
}

/** The time of day, but for its jumps. */
static struct timespec day(void)
{
    struct timespec now = state.day;
    if (now.tv_sec == 0)
        real_gettime(CLOCK_REALTIME, &now);
    return now;
}

/** Counts a question for a time that can jump, if it comes from the library under test. */
static void asked(const void *caller)
{
    Dl_info info;
    if (dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "libtlsmem") != NULL)
        __atomic_add_fetch(&state.asked, 1, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (real_gettime == NULL)
        look_up();
    int answer = real_gettime(clock, now);
    if (clock == CLOCK_MONOTONIC) {
        if (state.stands_still) {
            now->tv_sec = state.now / 1000;
            now->tv_nsec = state.now % 1000 * 1000000;
        }
        return answer;
    }
    asked(__builtin_return_address(0));
    if (clock == CLOCK_REALTIME) {
        *now = day();
        now->tv_sec += state.jump;
    }
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise = day();
    (void)zone;
    asked(__builtin_return_address(0));
    now->tv_sec = precise.tv_sec + state.jump;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise = day();
    asked(__builtin_return_address(0));
    if (now != NULL)
        *now = precise.tv_sec + state.jump;
    return precise.tv_sec + state.jump;
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    state.waits++;
    if (!state.stands_still)
        return real_wait(fd, events, most, timeout);
    int found = real_wait(fd, events, most, 0);
    if (found == 0 && timeout > 0)
        state.now += timeout;
    return found;
}

void false_clock(int stands_still)
{
    struct timespec now;
    real_gettime(CLOCK_MONOTONIC, &now);
    state.now = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    state.stands_still = stands_still;
}

void false_clock_forward(int64_t ms)
{
    state.now += ms;
}

void false_clock_jump(int64_t seconds)
{
    state.jump += seconds;
}

void false_clock_hold_day(void)
{
    state.day = day();
}

void false_clock_let_day_go(void)
{
    state.day = (struct timespec){ 0, 0 };
    state.jump = 0;
}

long false_clock_waits(void)
{
    return state.waits;
}

long false_clock_asked(void)
{
    return state.asked;
}
