/* host_loop.c - the loop of plugin_host, around poll; see host_loop.h. */
#define _POSIX_C_SOURCE 200809L
#include "host_loop.h"
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

enum { WATCHES_MAX = 1024 };

static struct plugin_watch *watches[WATCHES_MAX]; /* NULL: removed in the turn that is under way */
static size_t watched;

int loop_add(struct plugin_watch *watch)
{
    if (watched == WATCHES_MAX)
        return -1;
    watches[watched++] = watch;
    return 0;
}

void loop_remove(struct plugin_watch *watch)
{
    for (size_t i = 0; i < watched; i++)
        if (watches[i] == watch)
            watches[i] = NULL;
}

static int64_t now_ms(void)
{
    struct timespec clock;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    return (int64_t)clock.tv_sec * 1000 + clock.tv_nsec / 1000000;
}

int loop_turn(int stop)
{
    static struct pollfd polled[WATCHES_MAX + 1];
    int64_t next = -1, now = now_ms();
    size_t kept = 0;
    for (size_t i = 0; i < watched; i++)
        if (watches[i] != NULL)
            watches[kept++] = watches[i];
    watched = kept;
    for (size_t i = 0; i < kept; i++) {
        const struct plugin_watch *w = watches[i];
        polled[i] = (struct pollfd) { w->events != 0 ? w->fd : -1, (short)w->events, 0 };
        if (w->at_ms >= 0 && (next < 0 || w->at_ms < next))
            next = w->at_ms;
    }
    polled[kept] = (struct pollfd) { stop, POLLIN, 0 };
    int wait = next < 0 ? -1 : next <= now ? 0 : next - now < 60000 ? (int)(next - now) : 60000;
    if (poll(polled, kept + 1, wait) < 0 && errno != EINTR)
        return -1;
    now = now_ms();
    for (size_t i = 0; i < kept; i++) { /* what is added meanwhile stands behind them */
        struct plugin_watch *w = watches[i];
        if (w != NULL && (polled[i].revents != 0 || (w->at_ms >= 0 && w->at_ms <= now)))
            w->ready(w, polled[i].revents);
    }
    return polled[kept].revents == 0;
}
