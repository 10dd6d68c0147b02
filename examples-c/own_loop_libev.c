/*
 * own_loop_libev.c - the fd face in libev's loop: an echo server with one ev_io and one ev_timer for each client.
 *
 * After every event the connection is asked what it waits for now; the two watchers are set and started anew only when the
 * answer has changed. With no interest the ev_io is stopped: libev would report a hang-up all the same.
 */
#include "explain.h"
#include "own_loop.h"
#include <errno.h>
#include <ev.h>
#include <poll.h>
#include <signal.h>
#include <sys/queue.h>

struct server {
    struct own_loop all;
    ev_io listener;
    ev_timer accept_again; /* when descriptors had run out */
    LIST_HEAD(clients, client) clients;
};

struct client {
    ev_io io;
    ev_timer timer;
    int64_t deadline; /* that the timer is set to; -1 for none */
    struct server *server;
    tlsmem *c;
    LIST_ENTRY(client) others;
};

static void free_client(struct ev_loop *loop, struct client *e)
{
    ev_io_stop(loop, &e->io);
    ev_timer_stop(loop, &e->timer);
    LIST_REMOVE(e, others);
    release(e->c); /* now that no watcher is left on its fd */
    free(e);
}

static void end(struct ev_loop *loop, struct client *e)
{
    struct server *s = e->server;
    if (farewell(&s->all, e->c))
        ev_break(loop, EVBREAK_ALL);
    free_client(loop, e);
    ev_io_start(loop, &s->listener); /* a descriptor is free */
}

/* manual: settle */
/* After every call on a connection: answers, then waits for what the
   connection waits for. */
static void settle(struct ev_loop *loop, struct client *e)
{
    if (!echo(e->c)) {
        end(loop, e);
        return;
    }
    int interest = tlsmem_interest(e->c);
    int wanted = (interest & POLLIN ? EV_READ : 0)
               | (interest & POLLOUT ? EV_WRITE : 0);
    if (wanted != (e->io.events & (EV_READ | EV_WRITE))) {
        ev_io_stop(loop, &e->io);
        ev_io_set(&e->io, tlsmem_fd(e->c), wanted);
        if (wanted != 0)
            ev_io_start(loop, &e->io);
    }
    int64_t deadline = tlsmem_deadline(e->c);
    int64_t left = deadline - tlsmem_now();
    if (deadline != e->deadline
        || (deadline >= 0 && !ev_is_active(&e->timer))) {
        e->deadline = deadline;
        ev_timer_stop(loop, &e->timer);
        ev_timer_set(&e->timer, left > 0 ? (ev_tstamp)left / 1000 : 0., 0.);
        if (deadline >= 0)
            ev_timer_start(loop, &e->timer);
    }
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
    struct client *e = io->data;
    if (events & EV_READ) /* by these two of errors and hang-ups, too */
        tlsmem_on_readable(e->c);
    if (events & EV_WRITE)
        tlsmem_on_writable(e->c);
    if (events & EV_ERROR) /* libev could not watch it, and has stopped */
        tlsmem_abort(e->c);
    settle(loop, e);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct client *e = timer->data;
    (void)events;
    /* A little early perhaps: then there is still a deadline afterwards. */
    tlsmem_tick(e->c, tlsmem_now());
    settle(loop, e);
}
/* end of settle */

static void on_client(struct ev_loop *loop, ev_io *listener, int events)
{
    struct server *s = listener->data;
    (void)events;
    for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        tlsmem *c = welcome(&s->all, fd, NULL, NULL);
        if (c == NULL)
            continue;
        struct client *e = zeroed(sizeof *e);
        e->server = s;
        e->c = c;
        e->deadline = -1;
        ev_io_init(&e->io, on_ready, fd, 0);
        ev_timer_init(&e->timer, on_deadline, 0., 0.);
        e->io.data = e->timer.data = e;
        LIST_INSERT_HEAD(&s->clients, e, others);
        settle(loop, e);
    }
    if (ran_out(errno)) {
        ev_io_stop(loop, listener); /* watched on, it would be ready for ever */
        ev_timer_set(&s->accept_again, 1., 0.);
        ev_timer_start(loop, &s->accept_again);
    }
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct server *s = timer->data;
    (void)events;
    ev_io_start(loop, &s->listener);
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
    (void)signal, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void on_explain(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct server *s = signal->data;
    const struct client *e;
    size_t lines = 0;
    (void)loop, (void)events;
    LIST_FOREACH(e, &s->clients, others) {
        explain_one(e->c);
        lines++;
    }
    explain_end(lines);
}

int main(int argc, char **argv)
{
    static struct server s;
    struct ev_loop *loop = EV_DEFAULT;
    ev_signal interrupted, terminated, explain;
    begin(&s.all, argc, argv, "sends every byte back, over TLS, in libev's loop");
    ev_io_init(&s.listener, on_client, listen_on(&s.all.o), EV_READ);
    ev_timer_init(&s.accept_again, on_accept_again, 1., 0.);
    s.listener.data = s.accept_again.data = explain.data = &s;
    ev_signal_init(&interrupted, on_signal, SIGINT);
    ev_signal_init(&terminated, on_signal, SIGTERM);
    ev_signal_init(&explain, on_explain, SIGUSR1);
    ev_io_start(loop, &s.listener);
    ev_signal_start(loop, &interrupted);
    ev_signal_start(loop, &terminated);
    ev_signal_start(loop, &explain);
    say_listening(s.all.o.host, (int)s.all.o.port);
    ev_run(loop, 0);

    while (!LIST_EMPTY(&s.clients))
        free_client(loop, LIST_FIRST(&s.clients));
    ev_loop_destroy(loop);
    tlsmem_ctx_free(s.all.ctx);
    return EXIT_DONE;
}
