/* measure.c - clocks, and what is printed; see load.h. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        fail("the server is gone");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

int spin(int epoll, struct epoll_event *ready, int most)
{
    int count;
    double begin = 0;
    while ((count = epoll_wait(epoll, ready, most, options.sleep ? 1000 : 0)) <= 0) {
        if (begin == 0)
            begin = now();
        if (now() > begin + 5)
            fail("nothing happens for 5 seconds");
    }
    return count;
}

/* The CPU clock of another process is as exact as the scheduler's own count: nanoseconds, not ticks. */
double server_cpu(void)
{
    double sum = 0;
    char *next;
    for (const char *at = options.pids; at != NULL && *at != '\0'; at = *next == ',' ? next + 1 : next) {
        clockid_t clock;
        if (clock_getcpuclockid((pid_t)strtol(at, &next, 10), &clock) != 0)
            fail("--pid %s: no such process", options.pids);
        sum += seconds_of(clock);
    }
    return sum;
}

void window_begin(struct window *w)
{
    *w = (struct window) { now(), server_cpu() };
}

void window_end(struct window *w)
{
    w->wall = now() - w->wall;
    w->server = server_cpu() - w->server;
}

void print(const char *name, const char *unit, double value)
{
    printf("%s\t%s\t%.6g\n", name, unit, value);
}

static void print_busy(const struct window *w)
{
    print("server busy", "%", 100 * w->server / w->wall);
}

void print_operations(const struct window *w, const char *name, double count)
{
    char text[64];
    snprintf(text, sizeof text, "%ss", name);
    print(text, "k/s", count / w->wall / 1e3);
    snprintf(text, sizeof text, "server CPU per %s", name);
    print(text, "us", 1e6 * w->server / count);
    print_busy(w);
}

void print_bytes(const struct window *w, double bytes)
{
    print("throughput", "GB/s", bytes / w->wall / 1e9);
    print("per server CPU second", "GB", bytes / w->server / 1e9);
    print_busy(w);
}
