/*
 * Gathering over a loop's turn: what others write, from wherever, goes out in the same turn, one record each.
 */
#define _GNU_SOURCE
#include "gathers.h"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST = 1000 };
static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *loop, *outside; /* the loop that is looked at, and the one of the peers */
static end ours[MOST + 1], peers[MOST + 1];

static void make_pair(int i)
{
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    end_adopt(&ours[i], NULL, 0);
    end_adopt(&peers[i], NULL, 1);
    ours[i].c = connection(client_ctx, &end_callbacks, &ours[i]);
    peers[i].c = connection(server_ctx, &end_callbacks, &peers[i]);
    ours[i].face = peers[i].face = FACE_REGISTRY;
    ours[i].fd = pair[0];
    peers[i].fd = pair[1];
    MUST(tlsmem_loop_add(loop, ours[i].c, pair[0]) == TLSMEM_OK);
    MUST(tlsmem_loop_add(outside, peers[i].c, pair[1]) == TLSMEM_OK);
}

static void settle(void)
{
    for (int idle = 0; idle < 4; idle++)
        for (int i = 0; i < 2; i++)
            if (tlsmem_loop_run_once(i ? outside : loop, 0) > 0)
                idle = 0;
}

static void open_pairs(const char *name, int edge, int count)
{
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    situation("%s, %s", name, edge ? "edge-triggered" : "level-triggered");
    options.edge_triggered = edge;
    options.handshakes_per_turn = 100;
    MUST((loop = tlsmem_loop_new_with(&options)) != NULL);
    MUST((outside = tlsmem_loop_new_with(&options)) != NULL);
    for (int i = 0; i < count; i++)
        make_pair(i);
    settle();
    for (int i = 0; i < count; i++)
        MUST(ours[i].established && peers[i].established);
}

static void close_pairs(int count)
{
    for (int i = 0; i < count; i++) {
        CHECK(ours[i].wrong == 0 && peers[i].wrong == 0, "%d and %d times wrong", ours[i].wrong, peers[i].wrong);
        end_finish(&ours[i]);
        end_finish(&peers[i]);
    }
    tlsmem_loop_free(loop);
    tlsmem_loop_free(outside);
}

/** One turn of the loop in which ours[0] is to be written to. */
static void one_turn(const char *from)
{
    made before = made_by(ours[0].c);
    uint64_t sent = ours[0].sent;
    MUST(tlsmem_loop_run_once(loop, 1000) > 0);
    CHECK(ours[0].sent == sent + 500, "%s: %llu bytes written", from, (unsigned long long)(ours[0].sent - sent));
    CHECK_MADE(ours[0], before, 1, 1);
    settle();
    CHECK_ARRIVED(ours[0], peers[0]);
}

static void fifty(void) { put_many(&ours[0], 50, 10); }
static void in_post(void *argument) { (void)argument; fifty(); }
static void in_timer(tlsmem_timer *timer, void *user) { (void)user; fifty(); tlsmem_timer_free(timer); }

static void in_watch(tlsmem_loop *l, int fd, int events, void *user)
{
    (void)events, (void)user;
    fifty();
    MUST(tlsmem_loop_watch(l, fd, 0, in_watch, NULL) == TLSMEM_OK);
}

static void by_another(end *e, event what)
{
    (void)e;
    if (what == EVENT_DATA)
        fifty();
}

static void by_another_at_its_end(end *e, event what)
{
    (void)e;
    if (what == EVENT_CLOSE)
        fifty();
}

static void by_anothers_close(end *e, event what)
{
    if (what == EVENT_DATA) {
        e->hook = by_another_at_its_end;
        tlsmem_abort(e->c); /* on_close, within this turn */
    }
}

static void everywhere(int edge)
{
    int pair[2];
    open_pairs("what others write goes out in the same turn", edge, 2);
    MUST(tlsmem_loop_post(loop, in_post, NULL) == TLSMEM_OK);
    one_turn("a post");

    MUST(tlsmem_loop_timer(loop, 0, in_timer, NULL) != NULL);
    one_turn("a timer");

    MUST(pipe(pair) == 0 && write(pair[1], "x", 1) == 1);
    MUST(tlsmem_loop_watch(loop, pair[0], POLLIN, in_watch, NULL) == TLSMEM_OK);
    one_turn("a watch");
    close(pair[0]);
    close(pair[1]);

    fifty();
    uint64_t sent = ours[0].sent;
    made before = made_by(ours[0].c);
    CHECK_MADE(ours[0], before, 0, 0);
    MUST(tlsmem_loop_run_once(loop, 1000) > 0);
    CHECK(ours[0].sent == sent, "it was written again");
    CHECK_MADE(ours[0], before, 1, 1);
    settle();
    CHECK_ARRIVED(ours[0], peers[0]);

    ours[1].hook = by_another;
    put(&peers[1], 10);
    MUST(tlsmem_loop_run_once(outside, 0) > 0);
    one_turn("another's on_data");
    ours[1].hook = by_anothers_close;
    put(&peers[1], 10);
    MUST(tlsmem_loop_run_once(outside, 0) > 0);
    one_turn("another's on_close");
    close_pairs(2);
}

/** A connection without a loop, written to from the callback of one in a loop: nobody else would send it. */
static void elsewhere(int edge)
{
    open_pairs("what is written to one outside of the loop goes out at once", edge, 2);
    MUST(tlsmem_loop_remove(loop, ours[0].c) == TLSMEM_OK);
    ours[1].hook = by_another;
    put(&peers[1], 10);
    MUST(tlsmem_loop_run_once(outside, 0) > 0);
    made before = made_by(ours[0].c);
    MUST(tlsmem_loop_run_once(loop, 1000) > 0);
    CHECK_MADE(ours[0], before, 50, 50);
    settle();
    CHECK_ARRIVED(ours[0], peers[0]);
    close_pairs(2);
}

/* ---- broadcast */

static int many;

static void broadcast(end *e, event what)
{
    (void)e;
    if (what != EVENT_DATA)
        return;
    for (int part = 0; part < 5; part++)
        for (int i = 1; i <= many; i++)
            put(&ours[i], 10);
}

static void broadcasts(int edge)
{
    static made before[MOST + 1];
    many = short_run() ? 20 : MOST;
    open_pairs("a broadcast of five writes to each of many is a record and a send for each", edge, many + 1);
    ours[0].hook = broadcast;
    for (int i = 1; i <= many; i++)
        before[i] = made_by(ours[i].c);
    put(&peers[0], 10);
    MUST(tlsmem_loop_run_once(outside, 0) > 0);
    MUST(tlsmem_loop_run_once(loop, 1000) > 0);
    for (int i = 1; i <= many; i++)
        CHECK_MADE(ours[i], before[i], 1, 1);
    settle();
    for (int i = 1; i <= many; i++)
        CHECK_ARRIVED(ours[i], peers[i]);
    close_pairs(many + 1);
}

void gathers_loops(void)
{
    struct rlimit descriptors;
    MUST(getrlimit(RLIMIT_NOFILE, &descriptors) == 0);
    if (descriptors.rlim_cur < 2 * MOST + 100) {
        descriptors.rlim_cur = 2 * MOST + 100;
        MUST(setrlimit(RLIMIT_NOFILE, &descriptors) == 0);
    }
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    for (int edge = 0; edge < 2; edge++) {
        everywhere(edge);
        elsewhere(edge);
    }
    broadcasts(0);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}
