/*
 * The three ways to drive a connection. Without a loop of the library's, its socket is watched as a plain one, and its deadline
 * is a timer: what a program does that has a loop of its own.
 */
#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ready(tlsmem_loop *loop, int fd, int events, void *user);

static void watch(talk *t, int events)
{
    if (t->fd < 0 || t->watched == events)
        return;
    t->watched = events;
    MUST(tlsmem_loop_watch(the_loop, t->fd, events, on_ready, t) == TLSMEM_OK);
}

static void unwatch(talk *t)
{
    watch(t, 0);
}

/* ---- the buffers face */

/** Flips a bit of what the peer is to get, once. */
static size_t spoiled(talk *t, const void *bytes, size_t n, unsigned char *copy, size_t most)
{
    n = n < most ? n : most;
    memcpy(copy, bytes, n);
    copy[n - 1] ^= 1;
    t->flipped = 1;
    return n;
}

static void transmit(talk *t)
{
    static unsigned char copy[32768];
    const void *bytes;
    size_t n;
    while (!t->gone && t->fd >= 0 && tlsmem_outgoing_peek(t->c, &bytes, &n) == TLSMEM_OK) {
        int flips = t->plan.order.ending == FLIPPED && !t->is_server && !t->flipped && t->established && t->sent > 0;
        if (flips) {
            n = spoiled(t, bytes, n, copy, sizeof copy);
            bytes = copy;
        }
        ssize_t sent = send(t->fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            t->flipped &= !flips;
            return;
        }
        if (sent < 0)
            tlsmem_feed_error(t->c, errno);
        else
            tlsmem_outgoing_consume(t->c, (size_t)sent);
        if (sent < 0)
            return;
    }
}

/** Gives what was received; what is not taken is kept, and no more is received meanwhile. */
static void feed(talk *t, const unsigned char *bytes, size_t n)
{
    size_t done = 0;
    while (!t->gone && t->closes == 0 && t->way == BY_BUFFERS && done < n) {
        ptrdiff_t taken = tlsmem_feed(t->c, bytes + done, n - done);
        if (taken <= 0)
            break;
        done += (size_t)taken;
    }
    if (t->gone)
        return;
    unsigned char *rest = NULL;
    if (done < n) {
        rest = malloc(n - done);
        MUST(rest != NULL);
        memcpy(rest, bytes + done, n - done);
    }
    free(t->kept);
    t->kept = rest;
    t->kept_length = n - done;
}

static void receive(talk *t)
{
    static unsigned char bytes[16384];
    ssize_t n = recv(t->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        feed(t, bytes, (size_t)n);
    else if (n == 0) {
        t->fed_end = 1; /* from now on it would be readable for ever */
        tlsmem_feed_eof(t->c);
    } else if (errno != EAGAIN)
        tlsmem_feed_error(t->c, errno);
}

static int buffers_interest(talk *t)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    MUST(tlsmem_want(t->c, &want) == TLSMEM_OK);
    int reads = !t->connecting && !t->fed_end && t->kept_length == 0 && want.incoming_bytes == 0 && !want.paused
        && want.waits_for == TLSMEM_QUESTION_NONE;
    return (reads ? POLLIN : 0) | (want.has_ciphertext || t->connecting ? POLLOUT : 0);
}

/* ---- time, where no loop of the library's keeps it */

static void on_deadline(tlsmem_timer *timer, void *user)
{
    talk *t = user;
    (void)timer;
    talk_enter(t);
    tlsmem_tick(t->c, tlsmem_now());
    talk_leave(t);
}

static void set_timer(talk *t, int64_t ms)
{
    if (t->deadline == NULL)
        MUST((t->deadline = tlsmem_loop_timer(the_loop, ms, on_deadline, t)) != NULL);
    else
        IGNORE(tlsmem_timer_set(t->deadline, ms));
}

/* ---- from one way to another */

int drive_take(talk *t)
{
    int fd = t->way == BY_BUFFERS ? t->fd : tlsmem_take_fd(t->c);
    unwatch(t);
    t->fd = -1;
    return fd;
}

static void change(talk *t)
{
    t->changing = 0;
    way to = t->plan.changes_to;
    int fd = t->fed_end || t->struck ? -1 : drive_take(t);
    if (fd < 0)
        return; /* it is over already */
    ADD(own->changes, 1);
    t->connecting = 0;
    t->way = to;
    tlsmem_own_fd(t->c, to == BY_LOOP);
    if (to != BY_LOOP)
        t->fd = fd;
    int status = to == BY_LOOP ? tlsmem_loop_add(the_loop, t->c, fd) : to == BY_FD ? tlsmem_set_fd(t->c, fd) : TLSMEM_OK;
    t->changed = 1;
    if (status == TLSMEM_ESTATE && !is_clean(t->plan.order.ending)) { /* it is over for the socket: what came is still to be had */
        t->way = BY_BUFFERS;
        t->fd = -1;
        close(fd);
        tlsmem_feed_error(t->c, ECONNRESET);
    } else if (status != TLSMEM_OK) {
        wrong("%s cannot go on in another way: %s", talk_name(t), tlsmem_status_name(status));
    }
}

void drive_change(talk *t)
{
    t->changing = 1;
    if (t->way != BY_BUFFERS) /* there what was received may have to be fed first */
        change(t);
}

/* ---- both of ours */

static void set_deadline(talk *t)
{
    if (t->changed) { /* the call that this was inside of goes on: what to watch for is asked again when it has ended */
        t->changed = 0;
        set_timer(t, 0);
        return;
    }
    int64_t at = tlsmem_deadline(t->c), now = tlsmem_now();
    if (at >= 0) /* else the timer that there may be looks again, and finds nothing */
        set_timer(t, at > now ? at - now : 0);
}

void drive_settle(talk *t)
{
    if (t->way == BY_LOOP || t->fd < 0)
        return;
    if (t->way == BY_BUFFERS && t->kept_length > 0 && t->closes == 0) {
        unsigned char *kept = t->kept;
        size_t n = t->kept_length;
        t->kept = NULL;
        t->kept_length = 0;
        feed(t, kept, n);
        free(kept);
    }
    if (t->way == BY_BUFFERS && !t->connecting && !t->gone)
        transmit(t);
    if (t->gone || t->closes > 0)
        return;
    if (t->changing && t->kept_length == 0)
        change(t);
    if (t->way == BY_LOOP)
        return;
    watch(t, t->way == BY_FD ? tlsmem_interest(t->c) : buffers_interest(t));
    set_deadline(t);
}

static void on_ready(tlsmem_loop *loop, int fd, int events, void *user)
{
    talk *t = user;
    (void)loop, (void)fd;
    talk_enter(t);
    if (t->way == BY_FD) {
        if (events & (POLLIN | POLLERR | POLLHUP))
            tlsmem_on_readable(t->c);
        if (!t->gone && t->closes == 0 && t->way == BY_FD && events & POLLOUT)
            tlsmem_on_writable(t->c);
    } else if (t->way == BY_BUFFERS && t->closes == 0) {
        t->connecting = 0;
        if (events & (POLLIN | POLLERR | POLLHUP) && t->kept_length == 0 && !t->fed_end)
            receive(t);
    }
    talk_leave(t);
}

/* ---- beginning and ending */

void drive_begin(talk *t, int fd)
{
    t->way = t->plan.way;
    t->connecting = !t->is_server;
    if (t->way == BY_LOOP) {
        MUST(tlsmem_own_fd(t->c, 1) == TLSMEM_OK && tlsmem_loop_add(the_loop, t->c, fd) == TLSMEM_OK);
        return;
    }
    t->fd = fd;
    if (t->way == BY_FD)
        MUST(tlsmem_set_fd(t->c, fd) == TLSMEM_OK);
    drive_settle(t);
}

void drive_last_words(talk *t)
{
    if (t->way == BY_BUFFERS && !t->connecting)
        transmit(t);
}

void drive_end(talk *t)
{
    unwatch(t);
    tlsmem_timer_free(t->deadline);
    t->deadline = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
