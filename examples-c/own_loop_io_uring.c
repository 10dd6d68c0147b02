/*
 * own_loop_io_uring.c - the buffers face over io_uring: an echo server that asks for accept, recv and send, and hears later
 * what became of them.
 *
 * The kernel uses a buffer until its completion comes. So a send is given a copy: what tlsmem_outgoing_peek shows is good
 * until the next call only, and there will be some, a deadline for one, before a slow client has taken it. It is consumed
 * when it has gone, and counts as outgoing until then. Deadlines need no requests: the wait is given the first of them.
 */
#include "explain.h"
#include "own_loop.h"
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

enum { RECV_BYTES = 16384, SEND_BYTES = 65536, LINGER_MS = 5000 };
enum request { ACCEPT, STOP, EXPLAIN, RECV, SEND, REQUESTS = 8 }; /* comes back with its completion, in a client's address */

struct client {
    LIST_ENTRY(client) others;
    tlsmem *c;
    int fd, receiving;
    int gone;       /* nothing is to be done any more but to wait for what is under way */
    int64_t linger; /* once the connection has ended: when the client is left alone; else -1 */
    char *sending;  /* a copy; NULL while no send is under way */
    char received[RECV_BYTES];
};

static struct own_loop s;
static struct io_uring ring;
static LIST_HEAD(, client) clients;
static int listener, explaining, accepting, done;
static int64_t first_deadline = -1; /* or a moment before it */

static void wake_at(int64_t moment)
{
    if (moment >= 0 && (first_deadline < 0 || moment < first_deadline))
        first_deadline = moment;
}

/* Returns a free entry of the submission queue, which is submitted at the next wait, or when the queue is full. The data
 * is set first: preparing a request leaves it alone. */
static struct io_uring_sqe *entry(struct client *e, enum request request)
{
    struct io_uring_sqe *sqe;
    while ((sqe = io_uring_get_sqe(&ring)) == NULL)
        io_uring_submit(&ring);
    io_uring_sqe_set_data64(sqe, (uintptr_t)e | request); /* malloc leaves these bits free */
    return sqe;
}

static void accept_next(void)
{
    if (accepting || done)
        return;
    /* Blocking sockets: it is the kernel that waits. */
    io_uring_prep_accept(entry(NULL, ACCEPT), listener, NULL, NULL, SOCK_CLOEXEC);
    accepting = 1;
}

/* manual: end */
/* Ends a client at once. It is freed when what is under way has come
   back, perhaps by then already. */
static void end(struct client *e)
{
    shutdown(e->fd, SHUT_RDWR); /* what is under way comes back */
    if (e->receiving || e->sending != NULL)
        return;
    LIST_REMOVE(e, others);
    tlsmem_free(e->c);
    close(e->fd);
    free(e);
    accept_next(); /* a descriptor is free */
}
/* end of end */

/* manual: settle */
/* After every call on a connection: answers, then asks for what the
   connection waits for. */
static void settle(struct client *e)
{
    const void *bytes;
    size_t n;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    if (!echo(e->c) && e->linger < 0) {
        done |= farewell(&s, e->c);
        e->linger = tlsmem_now() + LINGER_MS;
    }
    if (e->gone) {
        end(e);
        return;
    }
    if (e->sending == NULL
        && tlsmem_outgoing_peek(e->c, &bytes, &n) == TLSMEM_OK) {
        n = n < SEND_BYTES ? n : SEND_BYTES;
        e->sending = memcpy(zeroed(n), bytes, n);
        io_uring_prep_send(entry(e, SEND), e->fd, e->sending, n,
                           MSG_NOSIGNAL);
    } else if (e->linger >= 0 && e->sending == NULL) {
        /* And the client is heard until it closes too: a reset could
           destroy an alert. */
        shutdown(e->fd, SHUT_WR);
    }
    tlsmem_want(e->c, &want);
    int hears = want.needs_ciphertext && !want.has_plaintext;
    if (!e->receiving && (e->linger >= 0 || hears)) {
        io_uring_prep_recv(entry(e, RECV), e->fd, e->received, RECV_BYTES,
                           0); /* else when its answers have gone */
        e->receiving = 1;
    }
    wake_at(e->linger >= 0 ? e->linger : want.deadline_ms);
}

static void on_sent(struct client *e, int result)
{
    free(e->sending);
    e->sending = NULL;
    int status = result < 0 ? tlsmem_feed_error(e->c, -result)
                            : tlsmem_outgoing_consume(e->c, (size_t)result);
    e->gone |= status != TLSMEM_OK;
    settle(e);
}

static void on_received(struct client *e, int result)
{
    e->receiving = 0;
    if (e->linger >= 0) /* it is dropped, until the client has closed too */
        e->gone |= result <= 0;
    else if (result < 0)
        e->gone |= tlsmem_feed_error(e->c, -result) != TLSMEM_OK;
    else if (result == 0)
        tlsmem_feed_eof(e->c);
    else /* it takes all, for no plaintext waits, or it has ended */
        e->gone |= tlsmem_feed(e->c, e->received, (size_t)result)
                   == TLSMEM_AGAIN;
    settle(e);
}
/* end of settle */

static void on_accepted(int result)
{
    accepting = 0;
    if (result < 0 && ran_out(-result)) {
        wake_at(tlsmem_now() + 1000); /* asked for again at once, it would fail again */
        return;
    }
    tlsmem *c = result >= 0 ? welcome(&s, -1, NULL, NULL) : NULL;
    if (c != NULL) {
        struct client *e = zeroed(sizeof *e);
        *e = (struct client) { .c = c, .fd = result, .linger = -1 };
        LIST_INSERT_HEAD(&clients, e, others);
        settle(e);
    } else if (result >= 0) {
        close(result);
    }
    accept_next();
}

static void explain(int fd)
{
    const struct client *e;
    size_t lines = 0;
    io_uring_prep_poll_add(entry(NULL, EXPLAIN), fd, POLLIN); /* for the next one */
    if (!explain_begin(fd))
        return;
    LIST_FOREACH(e, &clients, others) {
        explain_one(e->c);
        lines++;
    }
    explain_end(lines);
}

static void completed(struct io_uring_cqe *cqe)
{
    enum request request = cqe->user_data % REQUESTS;
    struct client *e = (struct client *)(uintptr_t)(cqe->user_data - request);
    int result = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    if (request == ACCEPT)
        on_accepted(result);
    else if (request == STOP)
        done = 1;
    else if (request == EXPLAIN)
        explain(explaining);
    else
        (request == RECV ? on_received : on_sent)(e, result);
}

/* A deadline has passed, or the server is done. */
static void look_round(void)
{
    int64_t now = tlsmem_now();
    first_deadline = -1; /* each sets it anew */
    for (struct client *e = LIST_FIRST(&clients), *next; e != NULL; e = next) {
        next = LIST_NEXT(e, others);
        e->gone |= done || (e->linger >= 0 && now >= e->linger);
        tlsmem_tick(e->c, now);
        settle(e);
    }
    accept_next();
}

int main(int argc, char **argv)
{
    begin(&s, argc, argv, "sends every byte back, over TLS, in a loop of its own around io_uring");
    int failed = io_uring_queue_init(256, &ring, 0);
    if (failed || !(ring.features & IORING_FEAT_EXT_ARG)) {
        say("io_uring is not to be had: %s (kernel.io_uring_disabled, seccomp, or a kernel before 5.11)", strerror(-failed));
        return EXIT_NETWORK;
    }
    listener = listen_on(&s.o);
    fcntl(listener, F_SETFL, 0); /* not O_NONBLOCK, with which accept would be answered at once: nobody is there */
    accept_next();
    io_uring_prep_poll_add(entry(NULL, STOP), stop_descriptor(), POLLIN);
    explaining = explain_descriptor();
    io_uring_prep_poll_add(entry(NULL, EXPLAIN), explaining, POLLIN);
    say_listening(s.o.host, (int)s.o.port);
    while (!done || !LIST_EMPTY(&clients)) {
        struct io_uring_cqe *cqe;
        int64_t left = first_deadline - tlsmem_now();
        struct __kernel_timespec limit = { left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000000 : 0 };
        io_uring_submit_and_wait_timeout(&ring, &cqe, 1, first_deadline >= 0 ? &limit : NULL, NULL);
        while (io_uring_peek_cqe(&ring, &cqe) == 0)
            completed(cqe);
        if (done || (first_deadline >= 0 && tlsmem_now() >= first_deadline))
            look_round();
    }
    io_uring_queue_exit(&ring);
    tlsmem_ctx_free(s.ctx);
    return EXIT_DONE;
}
