/*
 * One loop accepts, and loops in other threads serve; the clients are in a thread of their own.
 */
#define _GNU_SOURCE
#include "listeners.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LOOPS = 4, AT_ONCE = 8, CLIENTS = 384, FEW = 32 };

static tlsmem_loop *acceptor, *serving[LOOPS];
static tlsmem_listener *listener;
static pthread_t threads[LOOPS];
static atomic_int served_by[LOOPS], inside, most_inside, wrong_thread;

static void count_out(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    inside--;
    tlsmem_free(c);
}

static int accept_in_thread(tlsmem_listener *from, tlsmem_accepted *accepted, void *user)
{
    static _Thread_local tlsmem_callbacks callbacks;
    (void)from, (void)user;
    int which = 0, now = ++inside, most = most_inside;
    while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
        ;
    while (which < LOOPS && serving[which] != accepted->loop)
        which++;
    wrong_thread += which == LOOPS || !pthread_equal(pthread_self(), threads[which]);
    if (which < LOOPS)
        served_by[which]++;
    callbacks = echo_callbacks;
    callbacks.on_close = count_out;
    accepted->callbacks = &callbacks;
    return 0;
}

static void *run(void *loop)
{
    if (tlsmem_loop_run(loop) != TLSMEM_OK)
        wrong_thread++;
    return NULL;
}

/** Clients come and go, AT_ONCE at a time; in the thread of this. Returns how many were served. */
static int traffic(int clients, int port)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    visitor v[AT_ONCE];
    int good = 0;
    for (int done = 0; done < clients; done += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++)
            visit(&v[i], loop, tcp_client("127.0.0.1", port), 0);
        good += all_served(loop, v, AT_ONCE);
    }
    tlsmem_loop_free(loop);
    return good;
}

static pthread_t accepting;

static int open_all(int connections_max)
{
    tlsmem_listen_options options = echo_options();
    options.on_accept = accept_in_thread;
    options.connections_max = connections_max;
    acceptor = tlsmem_loop_new();
    listener = listen_in(acceptor, &options);
    inside = most_inside = wrong_thread = 0;
    for (int i = 0; i < LOOPS; i++) {
        served_by[i] = 0;
        serving[i] = tlsmem_loop_new();
        MUST(tlsmem_listener_add_loop(listener, serving[i]) == TLSMEM_OK);
    }
    for (int i = 0; i < LOOPS; i++) /* it runs on while it serves, with nothing else in it */
        MUST(pthread_create(&threads[i], NULL, run, serving[i]) == 0);
    int port = tlsmem_listener_port(listener);
    MUST(pthread_create(&accepting, NULL, run, acceptor) == 0);
    return port;
}

static void free_listener(void *from)
{
    tlsmem_listener_free(from);
}

/** Frees the listener, in its thread; all loops then end by themselves, once their connections have gone. */
static void close_all(void)
{
    if (listener != NULL)
        MUST(tlsmem_loop_post(acceptor, free_listener, listener) == TLSMEM_OK);
    pthread_join(accepting, NULL);
    for (int i = 0; i < LOOPS; i++)
        if (serving[i] != NULL) {
            pthread_join(threads[i], NULL);
            tlsmem_loop_free(serving[i]);
        }
    tlsmem_loop_free(acceptor);
    CHECK(inside == 0, "%d connections are left", (int)inside);
    CHECK(wrong_thread == 0, "%d times in another thread, or failed", (int)wrong_thread);
}

static void in_turn(int connections_max)
{
    situation("%d threads serve, connections_max %d", LOOPS, connections_max);
    int clients = short_run() ? FEW : CLIENTS, all = 0;
    int served = traffic(clients, open_all(connections_max));
    CHECK(served == clients, "%d of %d were served", served, clients);
    for (int i = 0; i < LOOPS; i++) {
        CHECK(served_by[i] == clients / LOOPS, "loop %d served %d of %d", i, (int)served_by[i], clients);
        all += served_by[i];
    }
    CHECK(all == clients, "%d served", all);
    /* One that has just left its loop, and made room, is still counted here until its on_close. */
    CHECK(connections_max == 0 || most_inside <= connections_max + LOOPS, "%d at once", (int)most_inside);
    close_all();
}

/** Ends the loop that it is called in, which its thread then frees. */
static void stop_it(void *loop)
{
    tlsmem_loop_stop(loop);
}

/** A serving loop is freed, in its own thread, while clients come; then another one. */
static void freed_in_traffic(void)
{
    situation("serving loops are freed in mid-traffic");
    int clients = short_run() ? FEW : CLIENTS, port = open_all(0), served = 0;
    for (int gone = 0; gone < 3; gone++) {
        served += traffic(clients / 4, port);
        MUST(tlsmem_loop_post(serving[gone], stop_it, serving[gone]) == TLSMEM_OK);
        pthread_join(threads[gone], NULL);
        tlsmem_loop_free(serving[gone]);
        serving[gone] = NULL;
    }
    served += traffic(clients / 4, port);
    CHECK(served == clients, "%d of %d were served", served, clients);
    CHECK(served_by[3] >= clients / 4, "the last one served %d", (int)served_by[3]);
    close_all();
}

/** Plain sockets that connect, and are closed at once; until nobody listens. */
static void *knock(void *port)
{
    int fd;
    while ((fd = tcp_client("127.0.0.1", *(int *)port)) >= 0)
        close(fd);
    return NULL;
}

/** The listener is freed under a storm of clients; when every loop has turned, nobody hears of it any more. */
static void freed_under_load(void)
{
    pthread_t knocking[2];
    for (int round = 0; round < (short_run() ? 2 : 20); round++) {
        situation("the listener is freed under load, round %d", round);
        int port = open_all(round % 2 == 0 ? 0 : 3);
        for (int i = 0; i < 2; i++)
            MUST(pthread_create(&knocking[i], NULL, knock, &port) == 0);
        while (served_by[3] < 2 + round)
            sched_yield();
        MUST(tlsmem_loop_post(acceptor, free_listener, listener) == TLSMEM_OK);
        for (int i = 0; i < 2; i++)
            pthread_join(knocking[i], NULL);
        listener = NULL;
        close_all(); /* every loop has ended by itself */
    }
}

void handovers_in_threads(void)
{
    in_turn(0);
    in_turn(3);
    freed_in_traffic();
    freed_under_load();
}
