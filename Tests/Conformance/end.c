#define _GNU_SOURCE
#include "end.h"

#include <poll.h>
#include <unistd.h>

const char *const face_names[4] = { "buffers", "fd", "registry", "own calls" };

/* ---- callbacks */

/** What holds for every callback. Returns the end. */
static end *called(tlsmem *c, void *user)
{
    end *e = user;
    if (e->freed || e->closes > 0 || c != e->c)
        e->wrong++;
    e->activity++;
    return e;
}

static void after(end *e, event what)
{
    if (e->hook != NULL)
        e->hook(e, what);
}

static void on_established(tlsmem *c, void *user)
{
    end *e = called(c, user);
    e->established++;
    if (!tlsmem_is_established(c) || tlsmem_protocol(c) == 0)
        e->wrong++;
    after(e, EVENT_ESTABLISHED);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    end *e = called(c, user);
    if (n == 0 || e->eofs > 0 || e->established == 0)
        e->wrong++;
    if (pattern_differs(bytes, e->stream ^ 1, e->received, n) != n)
        e->wrong++;
    e->received += n;
    after(e, EVENT_DATA);
}

static void on_drain(tlsmem *c, void *user)
{
    end *e = called(c, user);
    if (!e->drain_owed)
        e->wrong++; /* only after a write that took less than it was given, or left the connection congested */
    if (tlsmem_is_congested(c))
        e->wrong++; /* it would be no moment to go on */
    e->drain_owed = e->blocked = 0;
    e->drains++;
    after(e, EVENT_DRAIN);
}

static void on_eof(tlsmem *c, void *user)
{
    end *e = called(c, user);
    if (e->eofs++ > 0)
        e->wrong++;
    after(e, EVENT_EOF);
    if (e->close_on_eof && !e->freed && !e->close_called) {
        e->close_called = 1;
        tlsmem_close(c);
    }
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    end *e = called(c, user);
    e->closes++;
    e->report = *report;
    after(e, EVENT_CLOSE);
}

const tlsmem_callbacks end_callbacks = {
    sizeof(tlsmem_callbacks), on_established, on_data, on_drain, on_eof, on_close
};

/* ---- beginning and end */

void end_adopt(end *e, tlsmem *c, uint32_t stream)
{
    memset(e, 0, sizeof *e);
    e->c = c;
    e->stream = stream;
    e->fd = e->outer = -1;
}

void end_open(end *e, tlsmem_ctx *ctx, face face, tlsmem_loop *loop, uint32_t stream, int send_buffer)
{
    int pair[2];
    end_adopt(e, NULL, stream);
    e->face = face;
    e->c = connection(ctx, &end_callbacks, e);
    if (face == FACE_BUFFERS)
        return;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    e->fd = pair[0];
    e->outer = pair[1];
    if (send_buffer > 0)
        MUST(setsockopt(e->fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) == 0);
    if (face == FACE_FD) {
        MUST(tlsmem_set_fd(e->c, e->fd) == TLSMEM_OK);
    } else {
        e->loop = loop;
        MUST(tlsmem_loop_add(loop, e->c, e->fd) == TLSMEM_OK);
        if (setting("TLSMEM_TEST_MOVES", 0) != 0)
            MUST((e->other = new_loop()) != NULL);
    }
}

void end_free_connection(end *e)
{
    tlsmem *c = e->c;
    if (e->freed)
        return;
    e->freed = 1;
    e->c = NULL;
    tlsmem_free(c);
}

void end_finish(end *e)
{
    end_free_connection(e);
    tlsmem_loop_free(e->other);
    e->other = NULL;
    if (e->fd >= 0)
        close(e->fd);
    if (e->outer >= 0)
        close(e->outer);
    e->fd = e->outer = -1;
}

int end_ended(const end *e)
{
    return e->freed || e->closes > 0;
}

/* ---- the program's turn */

static void write_some(end *e)
{
    static unsigned char bytes[65536];
    while (!e->blocked && !end_ended(e) && e->sent < e->to_send && e->write_status == 0) {
        size_t n = e->piece != 0 ? e->piece : sizeof bytes;
        if (n > e->to_send - e->sent)
            n = e->to_send - e->sent;
        pattern_fill(bytes, e->stream, e->sent, n);
        ptrdiff_t taken = tlsmem_write(e->c, bytes, n);
        if (taken > 0) {
            e->sent += (uint64_t)taken;
            e->activity++;
        }
        if (taken == TLSMEM_AGAIN || (taken > 0 && (size_t)taken < n))
            e->blocked = e->drain_owed = 1;
        else if (taken <= 0)
            e->write_status = (int)taken;
        e->drain_owed |= tlsmem_is_congested(e->c);
        if (e->after_write != NULL)
            e->after_write(e);
    }
}

void end_step(end *e)
{
    if (end_ended(e)) {
        if (e->fd >= 0)
            close(e->fd); /* on_close came: the program is done with its socket */
        e->fd = -1;
        return;
    }
    write_some(e);
    if (e->close_when_done && !e->close_called && !end_ended(e) && e->established && e->sent == e->to_send
        && e->received == e->to_receive) {
        e->close_called = 1;
        e->activity++;
        tlsmem_close(e->c);
    }
}

/* ---- the event loop's turn */

static void feed_kept(end *e)
{
    while (!end_ended(e) && e->kept_length > 0) {
        ptrdiff_t taken = tlsmem_feed(e->c, e->kept, e->kept_length);
        if (taken <= 0)
            return;
        e->activity++;
        e->kept_length -= (size_t)taken;
        memmove(e->kept, e->kept + taken, e->kept_length);
    }
}

static void drive_own_calls(end *e)
{
    const void *bytes;
    size_t n;
    feed_kept(e);
    while (!end_ended(e) && e->fd >= 0 && e->kept_length == 0) {
        ptrdiff_t got = recv(e->fd, e->kept, sizeof e->kept, 0);
        if (got == 0 && !e->kept_eof) {
            e->kept_eof = 1;
            tlsmem_feed_eof(e->c);
        }
        if (got <= 0)
            break;
        e->kept_length = (size_t)got;
        feed_kept(e);
    }
    while (!e->freed && e->fd >= 0 && tlsmem_outgoing_peek(e->c, &bytes, &n) == TLSMEM_OK) {
        ptrdiff_t went = send(e->fd, bytes, n, MSG_NOSIGNAL);
        if (went <= 0)
            break;
        e->activity++;
        tlsmem_outgoing_consume(e->c, (size_t)went);
    }
}

static void drive_fd(end *e)
{
    int interest = tlsmem_interest(e->c);
    struct pollfd wanted = { e->fd, (short)interest, 0 };
    if (interest == 0 || poll(&wanted, 1, 0) <= 0)
        return;
    if ((wanted.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        tlsmem_on_readable(e->c);
    if (!end_ended(e) && (wanted.revents & POLLOUT) != 0)
        tlsmem_on_writable(e->c);
}

/** A loop within this one: it is only run when its fd or its timeout says so, which is all another loop would see. */
static void drive_loop(tlsmem_loop *loop)
{
    struct pollfd wanted = { tlsmem_loop_fd(loop), POLLIN, 0 };
    if (poll(&wanted, 1, 0) > 0 || tlsmem_loop_timeout(loop) == 0)
        IGNORE(tlsmem_loop_run_once(loop, 0) < 0);
}

/** Every third time it leaves for the other loop: it arrives there in that one's next turn. */
static void drive_loops(end *e)
{
    drive_loop(e->loop);
    if (e->other == NULL)
        return;
    drive_loop(e->other);
    if (!end_ended(e) && ++e->drives % 3 == 0)
        IGNORE(tlsmem_loop_move(e->drives % 2 == 0 ? e->loop : e->other, e->c));
}

void end_drive(end *e)
{
    if (e->face == FACE_REGISTRY) {
        drive_loops(e);
        return;
    }
    if (end_ended(e))
        return;
    if (e->face == FACE_FD)
        drive_fd(e);
    else if (e->face == FACE_OWN_CALLS)
        drive_own_calls(e);
}
