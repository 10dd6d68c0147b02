/*
 * Listeners whose clients are served by other loops: here all loops turn in one thread, so that each step is certain.
 */
#define _GNU_SOURCE
#include "listeners.h"

#include <errno.h>
#include <unistd.h>

enum { LOOPS = 4, CLIENTS = 12 };

static tlsmem_loop *acceptor, *visitors, *serving[LOOPS];
static tlsmem_listener *listener;
static int served_by[LOOPS], served_by_acceptor, port;

static int accept_in_turn(tlsmem_listener *from, tlsmem_accepted *accepted, void *user)
{
    int known = 0;
    CHECK(from == listener, "another listener");
    for (int i = 0; i < LOOPS; i++)
        if (accepted->loop == serving[i] && serving[i] != NULL) {
            served_by[i]++;
            known = 1;
        }
    served_by_acceptor += accepted->loop == acceptor;
    CHECK(known || accepted->loop == acceptor, "an unknown loop");
    return echo_accept(from, accepted, user);
}

static void open_all(int loops, int connections_max)
{
    tlsmem_listen_options options = echo_options();
    options.on_accept = accept_in_turn;
    options.connections_max = connections_max;
    options.accepts_per_turn = 1000;
    acceptor = tlsmem_loop_new();
    visitors = tlsmem_loop_new();
    listener = listen_in(acceptor, &options);
    port = tlsmem_listener_port(listener);
    served_by_acceptor = 0;
    for (int i = 0; i < LOOPS; i++) {
        served_by[i] = 0;
        serving[i] = i < loops ? tlsmem_loop_new() : NULL;
        if (serving[i] != NULL)
            CHECK_STATUS(tlsmem_listener_add_loop(listener, serving[i]), TLSMEM_OK);
    }
}

static void close_all(void)
{
    tlsmem_loop_free(visitors);
    tlsmem_loop_free(acceptor);
    for (int i = 0; i < LOOPS; i++)
        tlsmem_loop_free(serving[i]);
}

/** Lets all loops turn, without waiting, until nothing happens any more in any of them. */
static void settle_all(void)
{
    for (int idle = 0; idle < 8;) {
        int happened = tlsmem_loop_run_once(acceptor, 0) + tlsmem_loop_run_once(visitors, 0);
        for (int i = 0; i < LOOPS; i++)
            happened += serving[i] != NULL ? tlsmem_loop_run_once(serving[i], 0) : 0;
        idle = happened > 0 ? 0 : idle + 1;
    }
}

static int answered(const visitor *all, int count)
{
    int good = 0;
    for (int i = 0; i < count; i++)
        good += all[i].answered == 4;
    return good;
}

static void come(visitor *all, int count)
{
    for (int i = 0; i < count; i++)
        visit(&all[i], visitors, tcp_client("127.0.0.1", port), 1);
}

static void in_turn(void)
{
    visitor v[CLIENTS];
    situation("%d loops serve in turn", LOOPS);
    open_all(LOOPS, 0);
    CHECK_STATUS(tlsmem_listener_add_loop(listener, serving[0]), TLSMEM_OK); /* once is enough */
    come(v, CLIENTS);
    settle_all();
    for (int i = 0; i < LOOPS; i++)
        CHECK(served_by[i] == CLIENTS / LOOPS, "loop %d served %d", i, served_by[i]);
    CHECK(answered(v, CLIENTS) == CLIENTS && served_by_acceptor == 0, "%d answered, %d by the acceptor",
          answered(v, CLIENTS), served_by_acceptor);
    close_all();
    situation("the loop that accepts serves too");
    open_all(2, 0);
    CHECK_STATUS(tlsmem_listener_add_loop(listener, acceptor), TLSMEM_OK);
    come(v, CLIENTS);
    settle_all();
    CHECK(served_by_acceptor == CLIENTS / 3 && served_by[0] == CLIENTS / 3, "%d and %d", served_by_acceptor,
          served_by[0]);
    CHECK(answered(v, CLIENTS) == CLIENTS, "%d answered", answered(v, CLIENTS));
    tlsmem_listener_free(listener);
    settle_all();
    for (int i = 0; i < CLIENTS; i++)
        leave(&v[i]);
    settle_all();
    CHECK_STATUS(tlsmem_loop_run(acceptor), TLSMEM_OK); /* nothing is left in it, and it does not wait */
    CHECK_STATUS(tlsmem_loop_run(serving[0]), TLSMEM_OK);
    close_all();
}

static void at_most(void)
{
    visitor v[CLIENTS];
    situation("connections_max over several loops");
    open_all(LOOPS, 5);
    come(v, CLIENTS);
    for (int left = 0; left < CLIENTS; left++) {
        settle_all();
        int expected = left + 5 < CLIENTS ? left + 5 : CLIENTS;
        CHECK(accepted_count == expected, "%d accepted when %d have left", accepted_count, left);
        leave(&v[left]);
    }
    settle_all();
    CHECK(answered(v, CLIENTS) == CLIENTS, "%d answered", answered(v, CLIENTS));
    close_all();
}

/** A loop that does not turn gets a few, and the others go on. */
static void one_hangs(void)
{
    enum { MANY = 150, MOST = 64 };
    static visitor v[MANY];
    situation("a serving loop hangs");
    open_all(2, 0);
    tlsmem_loop *hangs = serving[0];
    for (int i = 0; i < MANY; i++)
        visit(&v[i], visitors, tcp_client("127.0.0.1", port), 1);
    serving[0] = NULL; /* and so does not turn */
    settle_all();
    CHECK(accepted_count == MANY - MOST && answered(v, MANY) == MANY - MOST, "%d served, %d answered", accepted_count,
          answered(v, MANY));
    serving[0] = hangs;
    settle_all();
    CHECK(served_by[0] == MOST && answered(v, MANY) == MANY, "%d by the one that hung, %d answered", served_by[0],
          answered(v, MANY));
    close_all();
    situation("every serving loop hangs");
    open_all(1, 0);
    hangs = serving[0];
    serving[0] = NULL;
    for (int i = 0; i < MANY; i++)
        visit(&v[i], visitors, tcp_client("127.0.0.1", port), 1);
    settle_all();
    int before = open_descriptors();
    settle_all();
    CHECK(open_descriptors() == before && tlsmem_loop_run_once(acceptor, 0) == 0, "the acceptor goes on");
    serving[0] = hangs;
    settle_all();
    CHECK(answered(v, MANY) == MANY, "%d answered", answered(v, MANY));
    close_all();
}

static void freed_on_the_way(int which)
{
    visitor v[CLIENTS];
    static const char *const what[] = { "the listener is freed", "the acceptor is freed", "a serving loop is freed",
                                        "all serving loops are freed" };
    situation("%s while clients are on their way", what[which]);
    int descriptors = open_descriptors();
    open_all(2, 0);
    come(v, CLIENTS);
    settle(acceptor); /* all are on their way; nobody has served yet */
    CHECK(accepted_count == 0, "%d served", accepted_count);
    if (which == 0)
        tlsmem_listener_free(listener);
    if (which == 1) {
        tlsmem_loop_free(acceptor);
        acceptor = tlsmem_loop_new(); /* something to turn */
    }
    for (int i = 0; i < which - 1; i++) {
        tlsmem_loop_free(serving[i]);
        serving[i] = NULL;
    }
    settle_all();
    int expected = which == 2 ? CLIENTS : 0; /* those of the one that is gone go to the other */
    CHECK(accepted_count == expected && answered(v, CLIENTS) == expected, "%d served, %d answered", accepted_count,
          answered(v, CLIENTS));
    for (int i = 0; i < CLIENTS; i++)
        CHECK(expected == 0 ? v[i].closes == 1 && (v[i].report.status == TLSMEM_EHANDSHAKEEOF
                                                   || v[i].report.status == TLSMEM_ERESET)
                            : v[i].closes == 0,
              "client %d: on_close %d times, %s", i, v[i].closes, tlsmem_status_name(v[i].report.status));
    if (which == 3) { /* nobody serves: clients wait until somebody does */
        visit(&v[0], visitors, tcp_client("127.0.0.1", port), 1);
        settle_all();
        CHECK(accepted_count == 0 && v[0].closes == 0, "%d served", accepted_count);
        serving[3] = tlsmem_loop_new();
        CHECK_STATUS(tlsmem_listener_add_loop(listener, serving[3]), TLSMEM_OK);
        settle_all();
        CHECK(served_by[3] == 1 && v[0].answered == 4, "the one that waited is not served");
    }
    close_all();
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

/** What is left of a loop that was freed must not wait for the next client. */
static void nothing_kept(void)
{
    situation("a freed loop keeps no descriptor");
    open_all(2, 0);
    settle_all();
    int before = open_descriptors();
    tlsmem_loop_free(serving[0]);
    serving[0] = NULL;
    settle_all();
    CHECK(open_descriptors() == before - 2, "%d descriptors, %d before", open_descriptors(), before);
    visitor v;
    come(&v, 1);
    settle_all();
    before = open_descriptors();
    tlsmem_loop_free(acceptor); /* its client goes on in the other loop */
    acceptor = tlsmem_loop_new();
    CHECK(open_descriptors() == before - 1, "%d descriptors, %d before", open_descriptors(), before);
    CHECK(v.answered == 4 && v.closes == 0, "the client went with its listener");
    leave(&v);
    settle_all();
    CHECK(v.closes == 1 && v.report.status == TLSMEM_OK, "ended with %s", tlsmem_status_name(v.report.status));
    close_all();
}

static tlsmem_loop *being_freed;
static int added_while_freed;

static void add_in_on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    added_while_freed = tlsmem_listener_add_loop(listener, being_freed);
    tlsmem_free(c);
}

static void being_freed_refuses(void)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, NULL, NULL, NULL, add_in_on_close };
    situation("a loop that is being freed does not serve");
    open_all(0, 0);
    being_freed = tlsmem_loop_new();
    tlsmem *c = connection(client_ctx, &callbacks, NULL);
    MUST(tlsmem_own_fd(c, 1) == TLSMEM_OK && tlsmem_loop_add(being_freed, c, tcp_client("127.0.0.1", port)) == TLSMEM_OK);
    tlsmem_loop_free(being_freed);
    CHECK_STATUS(added_while_freed, TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_listener_add_loop(NULL, acceptor), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_listener_add_loop(listener, NULL), TLSMEM_EINVAL);
    visitor v;
    come(&v, 1);
    settle_all();
    CHECK(served_by_acceptor == 2 && v.answered == 4, "%d served by the acceptor", served_by_acceptor);
    close_all();
}

void handovers(void)
{
    in_turn();
    at_most();
    one_hangs();
    for (int which = 0; which < 4; which++)
        freed_on_the_way(which);
    nothing_kept();
    being_freed_refuses();
}
