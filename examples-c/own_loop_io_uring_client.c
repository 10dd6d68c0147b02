/*
 * own_loop_io_uring_client.c - a client of own_loop_io_uring: one recv and one send under way at most, and TLS between them.
 *
 * The kernel uses a buffer until its completion comes. So a send is given a copy: what tlsmem_outgoing_peek shows is good
 * until the next call only, and there will be some, a deadline for one, before a slow client has taken it. It is consumed
 * when it has gone, and counts as outgoing until then. Who waits for bytes owns no buffer: recv takes one of the
 * few that were provided when something has come, and it is given back as soon as it has been fed.
 */
#include "own_loop_io_uring.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SEND_BYTES = 65536, LINGER_MS = 5000 };

static void receive(struct client *e)
{
    struct io_uring_sqe *sqe = entry(e->server);
    io_uring_prep_recv(sqe, e->fd, NULL, BUFFER_BYTES, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data(sqe, &e->received);
    e->receiving = 1;
}

/* Sends of what waits, unless a send is under way. */
static void send_some(struct client *e)
{
    const void *bytes;
    size_t n;
    if (e->sending != NULL || tlsmem_outgoing_peek(e->c, &bytes, &n) != TLSMEM_OK)
        return;
    if (n > SEND_BYTES)
        n = SEND_BYTES;
    e->sending = memcpy(zeroed(n), bytes, n);
    struct io_uring_sqe *sqe = entry(e->server);
    io_uring_prep_send(sqe, e->fd, e->sending, n, MSG_NOSIGNAL);
    io_uring_sqe_set_data(sqe, &e->sent);
}

static void free_client(struct client *e)
{
    LIST_REMOVE(e, others);
    tlsmem_free(e->c);
    close(e->fd);
    accept_next(e->server); /* a descriptor is free */
    free(e);
}

/* After every call on a connection: answers, then asks for what the connection waits for. */
static void settle(struct client *e)
{
    struct server *s = e->server;
    int goes_on = echo(e->c);
    if (!goes_on && !e->gone && e->linger < 0) {
        s->done |= farewell(&s->all, e->c);
        e->linger = tlsmem_now() + LINGER_MS;
    }
    if (e->broken || e->gone) {
        end_client(e);
        return;
    }
    send_some(e);
    /* At its end comes FIN, and the client is heard until it closes too: a reset could destroy an alert on its way. */
    if (e->linger >= 0 && e->sending == NULL)
        shutdown(e->fd, SHUT_WR);
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(e->c, &want);
    if (!e->receiving && (e->linger >= 0 || (want.needs_ciphertext && !want.has_plaintext)))
        receive(e); /* else it is heard again when its answers have gone */
    wake_at(s, e->linger >= 0 ? e->linger : want.deadline_ms);
}

/* The transport has failed: TLS is told, and ends by it. */
static void broke(struct client *e, int error)
{
    e->broken = 1;
    tlsmem_feed_error(e->c, error);
}

static void on_sent(void *of, int result, unsigned flags)
{
    struct client *e = of;
    (void)flags;
    free(e->sending);
    e->sending = NULL;
    if (result >= 0)
        tlsmem_outgoing_consume(e->c, (size_t)result);
    else
        broke(e, -result);
    settle(e);
}

static void on_received(void *of, int result, unsigned flags)
{
    struct client *e = of;
    ptrdiff_t taken = 0;
    int buffer = (int)(flags >> IORING_CQE_BUFFER_SHIFT);
    e->receiving = 0;
    if (result == -ENOBUFS) /* all of them were in use: it is asked for once more, now that they have been given back */
        flags = 0;
    else if (e->linger >= 0) /* what the client still says is dropped, until it has closed too */
        e->gone |= result <= 0;
    else if (result > 0)
        taken = tlsmem_feed(e->c, e->server->buffers[buffer], (size_t)result); /* all: no plaintext waits. Or it has ended */
    else if (result == 0)
        tlsmem_feed_eof(e->c);
    else
        broke(e, -result);
    (void)taken;
    if (flags & IORING_CQE_F_BUFFER)
        provide(e->server, buffer, 1);
    settle(e);
}

void add_client(struct server *s, int fd)
{
    tlsmem *c = welcome(&s->all, -1, NULL, NULL);
    if (c == NULL) {
        close(fd);
        return;
    }
    struct client *e = zeroed(sizeof *e);
    *e = (struct client) { .server = s, .c = c, .fd = fd, .linger = -1 };
    e->received = (struct request) { on_received, e };
    e->sent = (struct request) { on_sent, e };
    LIST_INSERT_HEAD(&s->clients, e, others);
    settle(e);
}

void tick_client(struct client *e, int64_t now)
{
    tlsmem_tick(e->c, now);
    e->gone |= e->linger >= 0 && now >= e->linger;
    settle(e);
}

void end_client(struct client *e)
{
    e->gone = 1;
    shutdown(e->fd, SHUT_RDWR); /* what is under way comes back */
    if (!e->receiving && e->sending == NULL)
        free_client(e);
}
