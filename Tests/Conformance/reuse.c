/*
 * Descriptor numbers that are used again within one batch of events, 10,000 times: never an event for the wrong
 * connection. Removal and freeing of others from inside a callback, while their events wait in the same batch.
 *
 * In every round all sixteen sockets are readable at once, so one epoll_wait reports them all. The first callback frees
 * a few of the others and closes their sockets, whose numbers the kernel gives at once to the newcomers that it adds.
 * What was reported for the old ones must reach nobody: neither those who are gone nor the newcomers.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { PLACES = 16, VICTIMS = 4 };

typedef struct place {
    tlsmem *c;          /* a server that waits for a ClientHello: whatever comes is no TLS, and ends it */
    int fd, outer;
    int was_fed;        /* bytes were sent to it in this round */
    int ended;
} place;

static tlsmem_ctx *ctx;
static tlsmem_loop *loop;
static place places[PLACES];
static long reused, misled, freed, removed;
static seeded chance = { 2026 };
static int meddled, meddling;

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user);

static void settle_in(place *p)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, NULL, NULL, NULL, on_close };
    int pair[2], before = p->fd;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    *p = (place){ tlsmem_new(ctx, &callbacks, p), pair[0], pair[1], 0, 0 };
    MUST(p->c != NULL && tlsmem_loop_add(loop, p->c, p->fd) == TLSMEM_OK);
    reused += meddling && p->fd == before;
}

static void close_sockets(place *p)
{
    close(p->outer);
    close(p->fd); /* the lowest number that is free now */
}

/** Frees some that have events in the batch under way, and puts others in their numbers. */
static void meddle(const place *except)
{
    meddling = 1;
    for (int i = 0; i < VICTIMS; i++) {
        place *p = &places[seeded_next(&chance) % PLACES];
        if (p == except || p->ended)
            continue;
        if (seeded_next(&chance) % 2 == 0) {
            MUST(tlsmem_loop_remove(loop, p->c) == TLSMEM_OK);
            removed++;
        }
        tlsmem_free(p->c);
        freed++;
        close_sockets(p);
        settle_in(p);
    }
    meddling = 0;
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    place *p = user;
    if (c != p->c || p->ended || !p->was_fed || report->status != TLSMEM_ENOTTLS)
        misled++;
    p->ended = 1;
    if (meddled++ == 0)
        meddle(p);
}

/** The same for plain descriptors, and for a watch that is ended and begun again by another's callback. */
static int watched[PLACES][2], watch_due[PLACES];

static void on_watch(tlsmem_loop *of, int fd, int events, void *user)
{
    int *due = user;
    char byte;
    (void)of, (void)events;
    if (!*due || read(fd, &byte, 1) != 1)
        misled++;
    *due = 0;
    if (meddled++ != 0)
        return;
    for (int i = 0; i < VICTIMS; i++) {
        size_t each = seeded_next(&chance) % PLACES;
        if (!watch_due[each])
            continue;
        int before = watched[each][0];
        MUST(tlsmem_loop_watch(loop, before, 0, NULL, NULL) == TLSMEM_OK);
        close(watched[each][0]);
        close(watched[each][1]);
        watch_due[each] = 0;
        MUST(pipe(watched[each]) == 0);
        reused += watched[each][0] == before;
        MUST(tlsmem_loop_watch(loop, watched[each][0], POLLIN, on_watch, &watch_due[each]) == TLSMEM_OK);
    }
}

static void connections(long rounds)
{
    for (long round = 0; reused < rounds && round < 20 * rounds; round++) {
        for (int i = 0; i < PLACES; i++)
            places[i].was_fed = send(places[i].outer, "not TLS at all\n", 15, MSG_NOSIGNAL) == 15;
        meddled = 0;
        MUST(tlsmem_loop_run_once(loop, 0) >= 0);
        for (int i = 0; i < PLACES; i++)
            if (!places[i].was_fed) {
                tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
                MUST(tlsmem_stats(places[i].c, &stats) == TLSMEM_OK);
                misled += stats.recv_calls > 0; /* a newcomer was woken by its predecessor's event */
            } else if (places[i].ended) {
                tlsmem_free(places[i].c);
                close_sockets(&places[i]);
                settle_in(&places[i]);
            }
    }
}

static void watches(long rounds)
{
    for (long round = 0; reused < rounds && round < 20 * rounds; round++) {
        for (int i = 0; i < PLACES; i++) {
            if (!watch_due[i])
                MUST(write(watched[i][1], "x", 1) == 1);
            watch_due[i] = 1;
        }
        meddled = 0;
        MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    }
}

static void judge(long rounds, int descriptors)
{
    CHECK(reused >= rounds, "only %ld numbers were used again", reused);
    CHECK(misled == 0, "%ld events for the wrong one", misled);
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

static void play(int edge)
{
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    long rounds = short_run() ? 200 : 10000;
    options.edge_triggered = edge;
    options.handshakes_per_turn = 256; /* all of them in one batch */
    situation("connections, %s", edge ? "edge-triggered" : "level-triggered");
    int descriptors = open_descriptors();
    reused = misled = freed = removed = 0;
    loop = tlsmem_loop_new_with(&options);
    MUST(loop != NULL);
    for (int i = 0; i < PLACES; i++)
        settle_in(&places[i]);
    reused = 0;
    connections(rounds);
    printf("reuse: %ld numbers used again in the batch in which they were freed, %ld connections freed from a callback "
           "of another, %ld of them removed before\n", reused, freed, removed);
    for (int i = 0; i < PLACES; i++) {
        tlsmem_free(places[i].c);
        close_sockets(&places[i]);
    }
    tlsmem_loop_free(loop);
    judge(rounds, descriptors);

    situation("plain descriptors, %s", edge ? "edge-triggered" : "level-triggered");
    reused = misled = 0;
    loop = tlsmem_loop_new_with(&options);
    for (int i = 0; i < PLACES; i++) {
        watch_due[i] = 0;
        MUST(pipe(watched[i]) == 0);
        MUST(tlsmem_loop_watch(loop, watched[i][0], POLLIN, on_watch, &watch_due[i]) == TLSMEM_OK);
    }
    watches(rounds);
    tlsmem_loop_free(loop);
    for (int i = 0; i < PLACES; i++) {
        close(watched[i][0]);
        close(watched[i][1]);
    }
    judge(rounds, descriptors);
}

int main(void)
{
    begin("reuse");
    ctx = context(TLSMEM_SERVER, 0);
    play(0);
    play(1);
    tlsmem_ctx_free(ctx);
    return finish();
}
