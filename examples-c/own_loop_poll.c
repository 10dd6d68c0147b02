/*
 * own_loop_poll.c - the fd face: an echo server whose loop is its own, around poll.
 *
 * It has no callbacks. After every event it reads what came and writes it back; what is not accepted stays in the
 * connection, which then asks for no more. What to poll for is asked for each time: tlsmem_interest, tlsmem_deadline.
 */
#include "explain.h"
#include "own_loop.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

enum { SIGNALS, EXPLAIN, LISTENER, FIRST, PLACES = 4096 }; /* from FIRST on, a place for each connection */

struct server {
    struct own_loop all;
    int listener;
    int64_t accept_again; /* when descriptors had run out: not before this moment */
    struct pollfd polled[PLACES];
    tlsmem *connections[PLACES]; /* beside `polled` */
    size_t count;
};

/* Takes a connection that has ended out of its place, and moves the last one there. Returns 1 after the last of all. */
static int end(struct server *s, size_t place)
{
    int is_last = farewell(&s->all, s->connections[place]);
    release(s->connections[place]);
    s->count--;
    s->polled[place] = s->polled[s->count];
    s->connections[place] = s->connections[s->count];
    s->accept_again = 0; /* a descriptor is free */
    return is_last;
}

static void accept_all(struct server *s)
{
    for (int fd; s->count < PLACES && (fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        tlsmem *c = welcome(&s->all, fd, NULL, NULL);
        if (c == NULL)
            continue;
        s->polled[s->count].revents = 0;
        s->connections[s->count++] = c;
    }
    if (s->count < PLACES && ran_out(errno)) /* polled again at once, the listener would be ready for ever */
        s->accept_again = tlsmem_now() + 1000;
}

/* manual: explain */
static void explain(struct server *s)
{
    if (!explain_begin(s->polled[EXPLAIN].fd))
        return;
    for (size_t i = FIRST; i < s->count; i++)
        explain_one(s->connections[i]);
    explain_end(s->count - FIRST);
}
/* end of explain */

/* manual: loop */
/* Asks every connection what to poll it for. Returns how long poll may
   wait, in milliseconds. */
static int prepare(struct server *s)
{
    int64_t now = tlsmem_now();
    int64_t next = s->accept_again > now ? s->accept_again : -1;
    int accepts = next < 0 && s->count < PLACES;
    s->polled[LISTENER].fd = accepts ? s->listener : -1;
    s->polled[LISTENER].events = POLLIN;
    for (size_t i = FIRST; i < s->count; i++) {
        int64_t deadline = tlsmem_deadline(s->connections[i]);
        if (deadline >= 0 && (next < 0 || deadline < next))
            next = deadline;
        s->polled[i].events = (short)tlsmem_interest(s->connections[i]);
        s->polled[i].fd = tlsmem_fd(s->connections[i]);
        /* With no interest it is left out: poll would tell of a hang-up
           all the same, again and again. */
        if (s->polled[i].events == 0)
            s->polled[i].fd = -1;
    }
    if (next < 0)
        return -1;
    return next <= now ? 0 : next - now < 60000 ? (int)(next - now) : 60000;
}

/* Returns an exit code once the server is done. */
static int serve(struct server *s)
{
    for (;;) {
        int timeout = prepare(s);
        if (poll(s->polled, s->count, timeout) < 0 && errno != EINTR) {
            say("poll: %s", strerror(errno));
            return EXIT_NETWORK;
        }
        if (s->polled[SIGNALS].revents != 0)
            return EXIT_DONE;
        if (s->polled[EXPLAIN].revents != 0)
            explain(s);
        int64_t now = tlsmem_now();
        /* From the end, because end() moves the last one down. */
        for (size_t i = s->count; i-- > FIRST;) {
            tlsmem *c = s->connections[i];
            short ready = s->polled[i].revents;
            /* Errors and hang-ups are found by receiving, or by sending. */
            if (ready & ~POLLOUT)
                tlsmem_on_readable(c);
            if (ready & ~POLLIN)
                tlsmem_on_writable(c);
            tlsmem_tick(c, now);
            if (!echo(c) && end(s, i))
                return EXIT_DONE;
        }
        if (s->polled[LISTENER].revents != 0)
            accept_all(s);
    }
}
/* end of loop */

int main(int argc, char **argv)
{
    static struct server s;
    begin(&s.all, argc, argv, "sends every byte back, over TLS, in a loop of its own around poll");
    s.listener = listen_on(&s.all.o);
    s.polled[SIGNALS] = (struct pollfd) { stop_descriptor(), POLLIN, 0 };
    s.polled[EXPLAIN] = (struct pollfd) { explain_descriptor(), POLLIN, 0 };
    s.count = FIRST;
    say_listening(s.all.o.host, (int)s.all.o.port);
    int code = serve(&s);
    while (s.count > FIRST)
        release(s.connections[--s.count]);
    tlsmem_ctx_free(s.all.ctx);
    return code;
}
