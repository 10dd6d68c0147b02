/*
 * What one turn of a loop does: writes that come from elsewhere go out in one send, a flood takes no more than its
 * share, newcomers stand behind those who are there, and epoll_ctl is called only when something has changed.
 */
#define _GNU_SOURCE
#include "end.h"

#include <unistd.h>

enum { MANY = 8 };
static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *loop, *outside; /* the loop that is looked at, and the one of the peers */
static end peers[MANY], ours[MANY];

static void make_pair(int i, const tlsmem_limits *limits)
{
    int pair[2];
    tlsmem_ctx *ctx = limits != NULL ? context_limited(TLSMEM_SERVER, TLSMEM_TLS1_3, limits) : server_ctx;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    end_adopt(&peers[i], NULL, 0);
    end_adopt(&ours[i], NULL, 1);
    peers[i].c = connection(client_ctx, &end_callbacks, &peers[i]);
    ours[i].c = connection(ctx, &end_callbacks, &ours[i]);
    if (limits != NULL)
        tlsmem_ctx_free(ctx);
    peers[i].fd = pair[0];
    ours[i].fd = pair[1];
    MUST(tlsmem_loop_add(outside, peers[i].c, pair[0]) == TLSMEM_OK);
    MUST(tlsmem_loop_add(loop, ours[i].c, pair[1]) == TLSMEM_OK);
}

static void settle(void)
{
    for (int idle = 0; idle < 4; idle++)
        for (int i = 0; i < 2; i++)
            if (tlsmem_loop_run_once(i ? outside : loop, 0) > 0)
                idle = 0;
}

static void open_loops(const char *name, int edge)
{
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    situation("%s, %s", name, edge ? "edge-triggered" : "level-triggered");
    options.edge_triggered = edge;
    loop = tlsmem_loop_new_with(&options);
    outside = tlsmem_loop_new();
    MUST(loop != NULL && outside != NULL);
}

static void close_loops(int count)
{
    for (int i = 0; i < count; i++) {
        CHECK(peers[i].wrong == 0 && ours[i].wrong == 0, "%d and %d times wrong", peers[i].wrong, ours[i].wrong);
        end_finish(&peers[i]);
        end_finish(&ours[i]);
    }
    tlsmem_loop_free(loop);
    tlsmem_loop_free(outside);
}

static uint64_t sends(const end *e)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    MUST(tlsmem_stats(e->c, &stats) == TLSMEM_OK);
    return stats.send_calls;
}

static tlsmem_loop_stats_info counts(void)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    MUST(tlsmem_loop_stats(loop, &stats) == TLSMEM_OK);
    return stats;
}

static void write_pattern(end *e, size_t n)
{
    unsigned char bytes[4096];
    pattern_fill(bytes, e->stream, e->sent, n);
    MUST(tlsmem_write(e->c, bytes, n) == (ptrdiff_t)n);
    e->sent += n;
    e->drain_owed |= tlsmem_is_congested(e->c);
}

/* ---- one send */

static void write_fifty(void *argument)
{
    for (int i = 0; i < 50; i++)
        write_pattern(argument, 10);
}

static void write_to_first(end *e, event what)
{
    if (what == EVENT_DATA && e != &ours[0])
        write_pattern(&ours[0], 10);
}

static void gathers(int edge)
{
    open_loops("what others write in a turn goes out in one send", edge);
    for (int i = 0; i < MANY; i++)
        make_pair(i, NULL);
    settle();
    uint64_t before = sends(&ours[0]);
    MUST(tlsmem_loop_post(loop, write_fifty, &ours[0]) == TLSMEM_OK);
    MUST(tlsmem_loop_run_once(loop, 0) > 0);
    CHECK(sends(&ours[0]) == before + 1, "%llu sends for what one post wrote", (unsigned long long)(sends(&ours[0]) - before));
    settle();
    CHECK(peers[0].received == 500, "%llu bytes came", (unsigned long long)peers[0].received);

    for (int i = 1; i < MANY; i++) {
        ours[i].hook = write_to_first;
        write_pattern(&peers[i], 100);
    }
    MUST(tlsmem_loop_run_once(outside, 0) > 0);
    before = sends(&ours[0]);
    MUST(tlsmem_loop_run_once(loop, 0) > 0);
    CHECK(sends(&ours[0]) == before + 1, "%llu sends for what %d callbacks of others wrote",
          (unsigned long long)(sends(&ours[0]) - before), MANY - 1);
    settle();
    CHECK(peers[0].received == 500 + 10 * (MANY - 1), "%llu bytes came", (unsigned long long)peers[0].received);
    close_loops(MANY);
}

/* ---- shares */

static void shares(int edge)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.wake_max = 16384;
    open_loops("a flood takes no more than wake_max of a turn", edge);
    for (int i = 0; i < 3; i++)
        make_pair(i, &limits);
    settle();
    for (int i = 0; i < 40; i++)
        write_pattern(&peers[0], 4096); /* as much as the socket takes, and more */
    MUST(tlsmem_loop_run_once(outside, 0) > 0);
    for (int turn = 1; turn <= 4; turn++) {
        write_pattern(&peers[1], 10);
        write_pattern(&peers[2], 10);
        MUST(tlsmem_loop_run_once(outside, 0) > 0);
        uint64_t before = ours[0].received;
        MUST(tlsmem_loop_run_once(loop, 0) > 0);
        CHECK(ours[0].received - before <= limits.wake_max, "%llu bytes at once",
              (unsigned long long)(ours[0].received - before));
        CHECK(ours[0].received > before, "the flood stands still in turn %d", turn);
        CHECK(ours[1].received == 10u * turn && ours[2].received == 10u * turn, "the others wait in turn %d", turn);
    }
    settle();
    CHECK(ours[0].received == 40 * 4096, "%llu bytes came", (unsigned long long)ours[0].received);
    close_loops(3);
}

/* ---- newcomers */

static int residents_served, served_before;

static void count_served(end *e, event what)
{
    (void)e;
    residents_served += what == EVENT_DATA;
}

static void note_order(end *e, event what)
{
    if (what == EVENT_ESTABLISHED && e->test == NULL)
        served_before = residents_served;
}

static void newcomers(int edge)
{
    open_loops("newcomers stand behind those who are there, two in a turn", edge);
    make_pair(0, NULL);
    settle();
    ours[0].hook = count_served;
    for (int i = 1; i < MANY; i++) {
        make_pair(i, NULL);
        ours[i].hook = note_order;
    }
    IGNORE(tlsmem_loop_run_once(outside, 0) < 0); /* all hellos are there */
    int turns = 0;
    while (counts().established < MANY && turns < 100) {
        uint64_t before = counts().established;
        write_pattern(&peers[0], 10);
        while (tlsmem_loop_run_once(outside, 0) > 0) { }
        residents_served = 0;
        MUST(tlsmem_loop_run_once(loop, 0) > 0);
        turns++;
        CHECK(residents_served == 1, "the one that is there was served %d times", residents_served);
        CHECK(counts().established <= before + 2, "%llu newcomers in one turn",
              (unsigned long long)(counts().established - before));
        CHECK(counts().established == before || served_before == 1, "a newcomer came first");
    }
    CHECK(counts().established == MANY, "%llu established after %d turns", (unsigned long long)counts().established, turns);
    CHECK(turns >= MANY - 1, "%d newcomers with two flights each in %d turns", MANY - 1, turns);
    CHECK(counts().handshaking == 0 && counts().connections == MANY, "%llu in handshake, %llu connections",
          (unsigned long long)counts().handshaking, (unsigned long long)counts().connections);
    close_loops(MANY);
}

/* ---- epoll_ctl */

static void controls(int edge)
{
    open_loops("epoll_ctl is called only for what has changed", edge);
    make_pair(0, NULL);
    settle();
    uint64_t before = counts().epoll_ctls;
    for (int i = 0; i < 100; i++) {
        write_pattern(&peers[0], 64);
        settle();
        write_pattern(&ours[0], 64);
        settle();
    }
    CHECK(counts().epoll_ctls == before, "%llu epoll_ctl for 100 answers",
          (unsigned long long)(counts().epoll_ctls - before));
    CHECK(peers[0].received == 6400 && ours[0].received == 6400, "bytes are missing");

    /* The socket fills up, its peer reads, it goes on. */
    MUST(tlsmem_loop_remove(outside, peers[0].c) == TLSMEM_OK);
    for (int i = 0; i < 200; i++)
        write_pattern(&ours[0], 4096);
    while (tlsmem_loop_run_once(loop, 0) > 0) { }
    MUST(tlsmem_loop_add(outside, peers[0].c, -1) == TLSMEM_OK);
    settle();
    CHECK(peers[0].received == 6400 + 200 * 4096, "%llu bytes came", (unsigned long long)peers[0].received);
    CHECK(counts().epoll_ctls == before + (edge ? 0 : 2), "%llu epoll_ctl for a socket that filled up",
          (unsigned long long)(counts().epoll_ctls - before));
    close_loops(1);
}

int main(void)
{
    begin("turns");
    int descriptors = open_descriptors();
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    for (int edge = 0; edge < 2; edge++) {
        gathers(edge);
        shares(edge);
        newcomers(edge);
        controls(edge);
    }
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    situation("at the end");
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
    return finish();
}
