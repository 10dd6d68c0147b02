/*
 * own_loop_io_uring.c - the buffers face over io_uring: an echo server that asks for accept, recv and send, and hears later
 * what became of them. Here is the ring; what a client asks of it is in own_loop_io_uring_client.c.
 *
 * Deadlines need no requests of their own: the wait for completions is given the first of them. It is not taken back when
 * it is not needed any more; that wait then ends once for nothing.
 */
#include "own_loop_io_uring.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES = 256 };

struct io_uring_sqe *entry(struct server *s)
{
    struct io_uring_sqe *sqe;
    while ((sqe = io_uring_get_sqe(&s->ring)) == NULL)
        io_uring_submit(&s->ring);
    return sqe;
}

void wake_at(struct server *s, int64_t moment)
{
    if (moment >= 0 && (s->alarm < 0 || moment < s->alarm))
        s->alarm = moment;
}

void provide(struct server *s, int first, int count)
{
    struct io_uring_sqe *sqe = entry(s);
    io_uring_prep_provide_buffers(sqe, s->buffers[first], BUFFER_BYTES, count, GROUP, first);
    io_uring_sqe_set_data(sqe, &s->provided);
}

static void on_provided(void *of, int result, unsigned flags)
{
    struct server *s = of;
    (void)flags;
    if (result >= 0)
        return;
    say("io_uring takes no buffers: %s", strerror(-result));
    s->done = 1;
}

void accept_next(struct server *s)
{
    if (s->accepting)
        return;
    struct io_uring_sqe *sqe = entry(s);
    io_uring_prep_accept(sqe, s->listener, NULL, NULL, SOCK_CLOEXEC); /* blocking sockets: it is the kernel that waits */
    io_uring_sqe_set_data(sqe, &s->accepted);
    s->accepting = 1;
}

static void on_accepted(void *of, int result, unsigned flags)
{
    struct server *s = of;
    (void)flags;
    s->accepting = 0;
    if (result >= 0)
        add_client(s, result);
    if (result < 0 && ran_out(-result))
        wake_at(s, tlsmem_now() + 1000); /* asked for again at once, it would fail again */
    else
        accept_next(s);
}

static void on_stopped(void *of, int result, unsigned flags)
{
    struct server *s = of;
    (void)result, (void)flags;
    s->done = 1;
}

static void each_client(struct server *s, void (*fn)(struct client *e, int64_t now))
{
    int64_t now = tlsmem_now();
    for (struct client *e = LIST_FIRST(&s->clients), *next; e != NULL; e = next) {
        next = LIST_NEXT(e, others);
        fn(e, now);
    }
}

static void leave(struct client *e, int64_t now)
{
    (void)now;
    end_client(e);
}

/* Returns once the server is done and the kernel has given back everything of its clients. */
static void serve(struct server *s)
{
    for (int leaving = 0; !leaving || !LIST_EMPTY(&s->clients);) {
        int64_t left = s->alarm - tlsmem_now();
        struct __kernel_timespec limit = { left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000000 : 0 };
        struct io_uring_cqe *cqe;
        io_uring_submit_and_wait_timeout(&s->ring, &cqe, 1, s->alarm >= 0 ? &limit : NULL, NULL);
        while (io_uring_peek_cqe(&s->ring, &cqe) == 0) {
            struct request *request = io_uring_cqe_get_data(cqe);
            int result = cqe->res;
            unsigned flags = cqe->flags;
            io_uring_cqe_seen(&s->ring, cqe); /* first, for what comes now may free the request */
            request->done(request->of, result, flags);
        }
        if (s->alarm >= 0 && tlsmem_now() >= s->alarm) {
            s->alarm = -1;
            each_client(s, tick_client); /* each of which sets it anew */
            accept_next(s);
        }
        if (s->done && !leaving) {
            leaving = 1;
            each_client(s, leave);
        }
    }
}

int main(int argc, char **argv)
{
    static struct server s = { .alarm = -1 };
    begin(&s.all, argc, argv, "sends every byte back, over TLS, in a loop of its own around io_uring");
    int failed = io_uring_queue_init(ENTRIES, &s.ring, 0);
    if (failed || !(s.ring.features & IORING_FEAT_EXT_ARG)) {
        say("io_uring is not to be had: %s; it needs Linux 5.11, and that neither kernel.io_uring_disabled nor seccomp "
            "forbids it", failed ? strerror(-failed) : "this kernel's is too old");
        return EXIT_NETWORK;
    }
    s.accepted = (struct request) { on_accepted, &s };
    s.stopped = (struct request) { on_stopped, &s };
    s.provided = (struct request) { on_provided, &s };
    s.listener = listen_on(&s.all.o);
    fcntl(s.listener, F_SETFL, 0); /* not O_NONBLOCK, with which accept would be answered at once: nobody is there */
    provide(&s, 0, BUFFERS);
    accept_next(&s);
    struct io_uring_sqe *sqe = entry(&s);
    io_uring_prep_poll_add(sqe, stop_descriptor(), POLLIN);
    io_uring_sqe_set_data(sqe, &s.stopped);
    say_listening(s.all.o.host, (int)s.all.o.port);
    serve(&s);
    io_uring_queue_exit(&s.ring);
    tlsmem_ctx_free(s.all.ctx);
    return EXIT_DONE;
}
