/*
 * own_loop_epoll.c - the fd face: an echo server whose loop is its own, around epoll.
 *
 * The same callbacks as in echo_server.c tell what came; the loop tells the connection when its fd is ready, and asks
 * tlsmem_interest afterwards whether epoll has to know something new. A sweep once a second sees to the deadlines.
 */
#include "explain.h"
#include "own_loop.h"
#include <errno.h>
#include <sys/epoll.h>

enum { PLACES = 4096 };
struct server {
    struct own_loop all;
    int epoll, listener, explain, done;
    struct echo *clients[PLACES];
    size_t count;
};

/* One client. */
struct echo {
    struct server *server;
    tlsmem *c;
    size_t place; /* in `clients` */
    int fd, closed;
    uint32_t watched; /* what epoll knows */
};

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (tlsmem_write(c, bytes, n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c); /* its answers wait: it is heard no more until on_drain */
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_resume(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct echo *e = user;
    (void)report;
    if (farewell(&e->server->all, c))
        e->server->done = 1;
    e->closed = 1; /* freed by settle(), once the call that brought us here has returned */
}

static void free_echo(struct server *s, struct echo *e)
{
    s->clients[e->place] = s->clients[--s->count];
    s->clients[e->place]->place = e->place;
    release(e->c); /* its fd leaves epoll by being closed */
    free(e);
}

/* manual: settle */
/* After every call on a connection: frees it if it has ended, else has
   epoll watch for what it wants now. */
static void settle(struct server *s, struct echo *e)
{
    if (e->closed) {
        free_echo(s, e);
        return;
    }
    /* POLLIN and POLLOUT are EPOLLIN and EPOLLOUT. */
    uint32_t wanted = (uint32_t)tlsmem_interest(e->c);
    if (wanted == e->watched)
        return;
    /* With no interest it is taken out: epoll would tell of a hang-up all
       the same, again and again. */
    struct epoll_event event = { .events = wanted, .data.ptr = e };
    int what = wanted == 0 ? EPOLL_CTL_DEL
             : e->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(s->epoll, what, e->fd, &event) != 0)
        tlsmem_abort(e->c); /* without memory; the next sweep frees it */
    e->watched = wanted;
}
/* end of settle */

static void accept_all(struct server *s)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, on_drain, NULL, on_close };
    for (int fd; s->count < PLACES && (fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct echo *e = zeroed(sizeof *e);
        *e = (struct echo) { .server = s, .fd = fd, .place = s->count };
        e->c = welcome(&s->all, fd, &callbacks, e);
        if (e->c == NULL) {
            free(e);
            continue;
        }
        s->clients[s->count++] = e;
        settle(s, e);
    }
    if (s->count == PLACES || ran_out(errno)) /* in epoll it would be ready for ever; serve() puts it back */
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener, NULL);
}

static void explain(struct server *s)
{
    for (size_t i = 0; i < s->count; i++)
        explain_one(s->clients[i]->c);
    explain_end(s->count);
}

/* Returns once the server is done. */
static void serve(struct server *s)
{
    struct epoll_event ready[64], listener = { .events = EPOLLIN, .data.ptr = NULL };
    for (int64_t sweep = 0; !s->done;) {
        if (tlsmem_now() >= sweep) {
            sweep = tlsmem_now() + 1000;
            epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &listener); /* EEXIST as a rule */
            /* manual: sweep */
            /* From the end, because free_echo() moves the last one down. */
            for (size_t i = s->count; i-- > 0;) {
                tlsmem_tick(s->clients[i]->c, tlsmem_now());
                settle(s, s->clients[i]);
            }
            /* end of sweep */
        }
        int count = epoll_wait(s->epoll, ready, 64, 1000);
        for (int i = 0; i < count; i++) {
            struct echo *e = ready[i].data.ptr;
            if (ready[i].data.ptr == s) /* a signal */
                return;
            if (e == NULL) {
                accept_all(s);
                continue;
            }
            if (ready[i].data.ptr == &s->explain) {
                if (explain_begin(s->explain))
                    explain(s);
                continue;
            }
            /* manual: event */
            /* Errors and hang-ups are found by receiving, or by sending. */
            if (ready[i].events & ~(uint32_t)EPOLLOUT)
                tlsmem_on_readable(e->c);
            if (ready[i].events & ~(uint32_t)EPOLLIN)
                tlsmem_on_writable(e->c);
            settle(s, e);
            /* end of event */
        }
    }
}

int main(int argc, char **argv)
{
    static struct server s;
    begin(&s.all, argc, argv, "sends every byte back, over TLS, in a loop of its own around epoll");
    s.listener = listen_on(&s.all.o);
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event signals = { .events = EPOLLIN, .data.ptr = &s };
    struct epoll_event explain = { .events = EPOLLIN, .data.ptr = &s.explain };
    s.explain = explain_descriptor();
    if (epoll_ctl(s.epoll, EPOLL_CTL_ADD, stop_descriptor(), &signals) != 0
        || epoll_ctl(s.epoll, EPOLL_CTL_ADD, s.explain, &explain) != 0)
        return EXIT_NETWORK;
    say_listening(s.all.o.host, (int)s.all.o.port);
    serve(&s);
    while (s.count > 0)
        free_echo(&s, s.clients[0]);
    tlsmem_ctx_free(s.all.ctx);
    return EXIT_DONE;
}
