/*
 * Connections that move to another thread. A listener stays in its own.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 2, CLIENTS = 4, ROUNDS = 50, AT_ONCE = 1 };
static tlsmem_loop *loop, *worker_loops[WORKERS];
static int accepted_count, port;
static atomic_int clients_left, unserved;

/* The listener's thread and its epoll, of which other threads have to keep away. */
static pthread_t owner;
static atomic_int owned_epoll = -1, trespasses;

/** Stands in front of the C library's: a change that another thread makes shows, whether or not it hurts this time. */
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    static _Atomic(void *) found;
    int (*next)(int, int, int, struct epoll_event *);
    if (found == NULL)
        found = dlsym(RTLD_NEXT, "epoll_ctl");
    *(void **)&next = found;
    if (epoll == owned_epoll && !pthread_equal(pthread_self(), owner))
        trespasses++;
    return next(epoll, operation, fd, event);
}

static void free_it(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

/** In the worker's thread. */
static void take_over(void *argument)
{
    tlsmem *c = argument;
    if (tlsmem_loop_add(tlsmem_user(c), c, -1) != TLSMEM_OK)
        tlsmem_free(c);
}

/** In the listener's thread, after on_accept. */
static void hand_over(void *argument)
{
    tlsmem *c = argument;
    if (tlsmem_loop_remove(loop, c) == TLSMEM_OK)
        IGNORE(tlsmem_loop_post(tlsmem_user(c), take_over, c));
}

static int give_to_a_worker(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    (void)listener, (void)user;
    callbacks.on_close = free_it;
    accepted->callbacks = &callbacks;
    accepted->user = worker_loops[accepted_count++ % WORKERS];
    IGNORE(tlsmem_loop_post(loop, hand_over, accepted->connection));
    return 0;
}

static void *work(void *argument)
{
    tlsmem_loop_run(argument);
    return NULL;
}

/** Says something that is not TLS, again and again, and each time waits to be told so. */
static void *knock(void *argument)
{
    char bytes[256];
    for (int round = 0; round < ROUNDS && unserved == 0; round++) {
        int fd = plain_client(port);
        if (fd < 0 || send(fd, "junkjunkjunk", 12, MSG_NOSIGNAL) != 12
            || (recv(fd, bytes, sizeof bytes, 0) < 0 && errno == EAGAIN))
            unserved++;
        if (fd >= 0)
            close(fd);
    }
    if (--clients_left == 0)
        tlsmem_loop_stop(loop);
    return argument;
}

static void never(tlsmem_timer *timer, void *user)
{
    (void)timer, (void)user;
}

static void listen_here(void)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    options.host = "127.0.0.1";
    options.connections_max = AT_ONCE;
    options.on_accept = give_to_a_worker;
    loop = new_loop();
    MUST(tlsmem_loop_listen(loop, ctx, &options, &listener) == TLSMEM_OK);
    tlsmem_ctx_free(ctx);
    port = tlsmem_listener_port(listener);
    accepted_count = trespasses = unserved = 0;
    clients_left = CLIENTS;
    owner = pthread_self();
    owned_epoll = tlsmem_loop_fd(loop);
}

static void moved_to_another_thread(void)
{
    pthread_t workers[WORKERS], clients[CLIENTS];
    listen_here();
    for (int i = 0; i < WORKERS; i++) {
        worker_loops[i] = new_loop();
        MUST(tlsmem_loop_timer(worker_loops[i], 3600000, never, NULL) != NULL); /* so that it runs on */
        MUST(pthread_create(&workers[i], NULL, work, worker_loops[i]) == 0);
    }
    for (int i = 0; i < CLIENTS; i++)
        MUST(pthread_create(&clients[i], NULL, knock, NULL) == 0);
    CHECK_STATUS(tlsmem_loop_run(loop), TLSMEM_OK);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    settle_loop(loop); /* what was accepted last is handed over */
    for (int i = 0; i < WORKERS; i++) {
        tlsmem_loop_stop(worker_loops[i]);
        pthread_join(workers[i], NULL);
    }
    owned_epoll = -1;
    for (int i = 0; i < WORKERS; i++) {
        settle_loop(worker_loops[i]);
        tlsmem_loop_free(worker_loops[i]);
    }
    tlsmem_loop_free(loop);
    CHECK(trespasses == 0, "the listener's loop was changed by another thread %d times", (int)trespasses);
    CHECK(unserved == 0 && accepted_count == CLIENTS * ROUNDS, "%d clients waited in vain, %d accepted", (int)unserved,
          accepted_count);
}

const regression thread_regressions[] = {
    { "drives the listener from the thread that a connection was moved to", moved_to_another_thread },
    { NULL, NULL }
};
