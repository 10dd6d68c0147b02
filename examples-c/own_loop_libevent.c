/*
 * own_loop_libevent.c - the fd face in libevent's loop: an echo server of plain events, without bufferevents.
 *
 * A client has three events: readable, writable, and a timer for its deadline. After each of them the connection is asked
 * what it waits for now, and its events are added or deleted accordingly. libevent_core is all that is needed.
 */
#include "explain.h"
#include "own_loop.h"
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <poll.h>
#include <signal.h>
#include <sys/queue.h>

struct server {
    struct own_loop all;
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *accept_again; /* a timer: when descriptors had run out */
    LIST_HEAD(clients, client) clients;
};

struct client {
    struct server *server;
    tlsmem *c;
    struct event *readable, *writable, *deadline;
    LIST_ENTRY(client) others;
};

static void free_client(struct client *e)
{
    LIST_REMOVE(e, others);
    event_free(e->readable);
    event_free(e->writable);
    event_free(e->deadline);
    release(e->c); /* now that no event is left on its fd */
    free(e);
}

static void end(struct client *e)
{
    struct server *s = e->server;
    if (farewell(&s->all, e->c))
        event_base_loopbreak(s->base);
    free_client(e);
    evconnlistener_enable(s->listener); /* a descriptor is free */
}

/* manual: settle */
/* Adds or deletes an event; both do nothing when it is so already. */
static void watch_for(struct event *event, int wanted)
{
    if (wanted)
        event_add(event, NULL);
    else
        event_del(event);
}

/* After every call on a connection: answers, then waits for what the
   connection waits for. */
static void settle(struct client *e)
{
    if (!echo(e->c)) {
        end(e);
        return;
    }
    int wanted = tlsmem_interest(e->c);
    watch_for(e->readable, wanted & POLLIN);
    watch_for(e->writable, wanted & POLLOUT);
    int64_t deadline = tlsmem_deadline(e->c);
    int64_t left = deadline - tlsmem_now();
    if (left < 0)
        left = 0;
    struct timeval after = { left / 1000, left % 1000 * 1000 };
    if (deadline >= 0)
        event_add(e->deadline, &after);
    else
        event_del(e->deadline);
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    struct client *e = user;
    (void)fd;
    if (what & EV_READ) /* by these two of errors and hang-ups, too */
        tlsmem_on_readable(e->c);
    if (what & EV_WRITE)
        tlsmem_on_writable(e->c);
    if (what & EV_TIMEOUT)
        tlsmem_tick(e->c, tlsmem_now());
    settle(e);
}
/* end of settle */

/* libevent has accepted, and made the socket non-blocking. */
static void on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int n, void *user)
{
    struct server *s = user;
    (void)listener, (void)peer, (void)n;
    tlsmem *c = welcome(&s->all, fd, NULL, NULL);
    if (c == NULL)
        return;
    struct client *e = zeroed(sizeof *e);
    *e = (struct client) { .server = s, .c = c };
    LIST_INSERT_HEAD(&s->clients, e, others);
    e->readable = event_new(s->base, fd, EV_READ | EV_PERSIST, on_event, e);
    e->writable = event_new(s->base, fd, EV_WRITE | EV_PERSIST, on_event, e);
    e->deadline = evtimer_new(s->base, on_event, e);
    settle(e);
}

static void on_accept_error(struct evconnlistener *listener, void *user)
{
    struct server *s = user;
    struct timeval second = { 1, 0 };
    if (!ran_out(errno))
        return;
    evconnlistener_disable(listener); /* watched on, it would be ready for ever */
    evtimer_add(s->accept_again, &second);
}

static void on_accept_again(evutil_socket_t fd, short what, void *user)
{
    struct server *s = user;
    (void)fd, (void)what;
    evconnlistener_enable(s->listener);
}

static void on_signal(evutil_socket_t number, short what, void *user)
{
    struct server *s = user;
    (void)number, (void)what;
    event_base_loopbreak(s->base);
}

static void on_explain(evutil_socket_t number, short what, void *user)
{
    struct server *s = user;
    const struct client *e;
    size_t lines = 0;
    (void)number, (void)what;
    LIST_FOREACH(e, &s->clients, others) {
        explain_one(e->c);
        lines++;
    }
    explain_end(lines);
}

int main(int argc, char **argv)
{
    static struct server s;
    begin(&s.all, argc, argv, "sends every byte back, over TLS, in libevent's loop");
    s.base = event_base_new();
    s.listener = evconnlistener_new(s.base, on_client, &s, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0,
                                    listen_on(&s.all.o)); /* 0: it listens already */
    s.accept_again = evtimer_new(s.base, on_accept_again, &s);
    evconnlistener_set_error_cb(s.listener, on_accept_error);
    struct event *signals[] = { evsignal_new(s.base, SIGINT, on_signal, &s), evsignal_new(s.base, SIGTERM, on_signal, &s),
                                evsignal_new(s.base, SIGUSR1, on_explain, &s) };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        evsignal_add(signals[i], NULL);
    say_listening(s.all.o.host, (int)s.all.o.port);
    event_base_dispatch(s.base);

    while (!LIST_EMPTY(&s.clients))
        free_client(LIST_FIRST(&s.clients));
    evconnlistener_free(s.listener);
    event_free(s.accept_again);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        event_free(signals[i]);
    event_base_free(s.base);
    tlsmem_ctx_free(s.all.ctx);
    return EXIT_DONE;
}
