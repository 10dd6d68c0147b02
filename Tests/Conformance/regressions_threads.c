/*
 * Connections that move to another thread. A listener stays in its own.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

/* ---- another thread that is quick */

static tlsmem_loop *here, *there;
static atomic_int waits_for_the_other, ended_there;

/** Stands in front of the C library's: who wakes a loop lets its thread have the processor until all is over there. */
ssize_t write(int fd, const void *bytes, size_t n)
{
    static _Atomic(void *) found;
    ssize_t (*next)(int, const void *, size_t);
    if (found == NULL)
        found = dlsym(RTLD_NEXT, "write");
    *(void **)&next = found;
    ssize_t written = next(fd, bytes, n);
    if (atomic_exchange(&waits_for_the_other, 0))
        while (!ended_there)
            usleep(100);
    return written;
}

static void move_away(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)bytes, (void)n, (void)user;
    CHECK_STATUS(tlsmem_loop_move(there, c), TLSMEM_OK);
    waits_for_the_other = 1;
}

static void has_ended(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)c, (void)report, (void)user;
    ended_there = 1;
    tlsmem_loop_stop(there);
}

static void *run_there(void *status)
{
    *(int *)status = tlsmem_loop_run(there);
    return NULL;
}

static void looked_at_after_it_left(void)
{
    const tlsmem_callbacks pull = TLSMEM_CALLBACKS_INIT;
    const tlsmem_callbacks moving = { sizeof moving, NULL, move_away, NULL, NULL, has_ended };
    ends how = { .version = TLSMEM_TLS1_3, .client_face = FACE_REGISTRY, .server_face = FACE_REGISTRY, .direct = 1 };
    pthread_t thread;
    int status;
    here = new_loop();
    there = new_loop();
    how.loop = here;
    establish_ends(&how);
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &pull, NULL), TLSMEM_OK);
    say(&client, 1000);
    settle_loop(here);
    tlsmem_abort(client.c); /* without close_notify: a failure, as soon as somebody receives */
    shutdown(client.fd, SHUT_WR);
    ended_there = 0;
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &moving, NULL), TLSMEM_OK);
    tlsmem_loop_options lasting = TLSMEM_LOOP_OPTIONS_INIT;
    lasting.runs_empty = 1;
    tlsmem_loop_free(there);
    there = tlsmem_loop_new_with(&lasting);
    MUST(pthread_create(&thread, NULL, run_there, &status) == 0);
    CHECK_STATUS(tlsmem_handshake(server.c), TLSMEM_OK); /* it was well when it left */
    MUST(pthread_join(thread, NULL) == 0);
    CHECK_STATUS(status, TLSMEM_OK);
    CHECK(failure_of(server.c) == TLSMEM_ETRUNCATED, "it ended with %s", tlsmem_status_name(failure_of(server.c)));
    close_ends();
    tlsmem_loop_free(here);
    tlsmem_loop_free(there);
}

/* ---- fork */

static int asking_is_over; /* atomic */

/** Begins to connect by name: the resolver's threads come and go. */
static void ask(tlsmem_loop *of, tlsmem *c)
{
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = "localhost";
    to.port = 1;
    IGNORE(tlsmem_loop_connect(of, c, &to));
}

static void *ask_on(void *ctx)
{
    tlsmem_loop *of = tlsmem_loop_new();
    while (!__atomic_load_n(&asking_is_over, __ATOMIC_RELAXED)) {
        tlsmem *c = connection(ctx, NULL, NULL);
        ask(of, c);
        tlsmem_free(c);
    }
    tlsmem_loop_free(of);
    return NULL;
}

__attribute__((unused)) static void hangs_in_a_child(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    pthread_t threads[2];
    int descriptors = open_descriptors();
    asking_is_over = 0;
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, ask_on, ctx) == 0);
    int status = SIGKILL;
    for (int forks = 0; forks < 40 && status == SIGKILL; forks++) {
        /* Made before the fork, and not freed in the child: OpenSSL's own locks (of CRYPTO_free_ex_data) stay held. */
        tlsmem *c = connection(ctx, NULL, NULL);
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            signal(SIGALRM, SIG_DFL);
            alarm(20);
            ask(tlsmem_loop_new(), c);
            kill(getpid(), SIGKILL); /* what the lost threads hold is lost, too: nobody is to look for leaks */
        }
        MUST(waitpid(child, &status, 0) == child);
        tlsmem_free(c);
    }
    CHECK(status == SIGKILL, "a child ended with %x", (unsigned)status);
    __atomic_store_n(&asking_is_over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    tlsmem_ctx_free(ctx);
    /* The resolver cannot be stopped; what it is at holds the way into a loop that has gone. */
    for (int waits = 0; waits < 10000 && open_descriptors() > descriptors; waits++)
        poll(NULL, 0, 1);
}

const regression thread_regressions[] = {
#ifndef NO_THREADS_AFTER_FORK /* the thread sanitizer allows none; the address sanitizer may lock up in fork */
    { "hangs in a child of fork that connects by name", hangs_in_a_child },
#endif
    { "drives the listener from the thread that a connection was moved to", moved_to_another_thread },
    { "looks at a connection that has gone to another thread", looked_at_after_it_left },
    { NULL, NULL }
};
