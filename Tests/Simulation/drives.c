/* How an end is driven in each face, and when. */
#define _GNU_SOURCE
#include "world.h"
#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELD_MOST = 16384, IDLE_MOST = 200 };

static unsigned const DRIVEN = STATUS(TLSMEM_CLOSED) | FAILURE;

/** Counts a drive after which nothing was different: there must not be many of them. */
static void look_for_spin(end *e, const char *what)
{
    uint64_t now = kernel_progress() + w.events;
    if (now != e->progress) {
        e->progress = now;
        e->idle_rounds = 0;
    } else if (++e->idle_rounds > IDLE_MOST) {
        fail(e->number / 2, "spin", "end %d: %s again and again, and nothing happens", e->number, what);
    }
}

/* ---- the fd face */

static int drive_fd(end *e)
{
    uint32_t ready = kernel_ready(e->fd);
    int interest = tlsmem_interest(e->c);
    int64_t deadline = tlsmem_deadline(e->c);
    int is_spurious = !w.is_ending && chance_permille(&application_chance, 3);
    if (deadline >= 0 && deadline <= clock_now()) {
        note("tlsmem_tick", e->number, tlsmem_tick(e->c, clock_now()), 0);
        look_for_spin(e, "a deadline");
        return 1;
    }
    int reads = (interest & POLLIN) != 0 && (ready & EPOLLIN) != 0;
    int writes = (interest & POLLOUT) != 0 && (ready & EPOLLOUT) != 0;
    if (!reads && !writes && !is_spurious)
        return 0;
    if (reads && writes)
        reads = chance_permille(&application_chance, 500);
    uint64_t received = kernel_truth(e->fd)->received, actions = total.actions;
    size_t wake_max = e->of->limits[e->number % 2].wake_max;
    int fd = e->fd, was_open = e->is_established;
    int status = reads || (!writes && chance_permille(&application_chance, 500)) ? tlsmem_on_readable(e->c)
        : chance_permille(&application_chance, 900) ? tlsmem_on_writable(e->c) : tlsmem_flush(e->c);
    note("driven", e->number, status, interest);
    check_status(e, "driving", status, DRIVEN | STATUS(TLSMEM_AGAIN));
    const struct truth *truth = kernel_truth(fd);
    if (was_open && truth != NULL && actions == total.actions && truth->received >= received
        && truth->received - received > wake_max)
        fail(e->number / 2, "wake_max", "end %d receives %llu bytes at once", e->number,
             (unsigned long long)(truth->received - received));
    if (!is_spurious)
        look_for_spin(e, reads ? "readable" : "writable");
    return 1;
}

/* ---- the buffers face */

/** Sends what waits. Returns whether anything was done. */
static int send_outgoing(end *e)
{
    const void *bytes;
    size_t n;
    int status = tlsmem_outgoing_peek(e->c, &bytes, &n);
    if (e->c == NULL || status != TLSMEM_OK) {
        if (e->c != NULL)
            check_status(e, "tlsmem_outgoing_peek", status, STATUS(TLSMEM_AGAIN));
        return 0;
    }
    if (n == 0)
        fail(e->number / 2, "peek of nothing", "end %d", e->number);
    ssize_t sent = send(e->fd, bytes, n, MSG_NOSIGNAL);
    if (sent >= 0) {
        status = tlsmem_outgoing_consume(e->c, (size_t)sent);
        if (e->c != NULL)
            check_status(e, "tlsmem_outgoing_consume", status, 0);
        return 1;
    }
    if (errno == EAGAIN || errno == EINTR)
        return 1;
    if (e->is_closed)
        return tlsmem_outgoing_consume(e->c, n) == TLSMEM_OK; /* it gets nowhere any more */
    status = tlsmem_feed_error(e->c, errno);
    note("tlsmem_feed_error", e->number, status, 0);
    e->held_count = 0;
    if (e->c != NULL)
        check_status(e, "tlsmem_feed_error", status, DRIVEN);
    e->fed_end = 1;
    return 1;
}

static int feed_held(end *e)
{
    size_t part = chance_permille(&application_chance, 800) ? e->held_count
        : chance_size(&application_chance, e->held_count);
    ptrdiff_t count = tlsmem_feed(e->c, e->held, part);
    note("tlsmem_feed", e->number, count, (long)part);
    if (e->c == NULL)
        return 1;
    check_status(e, "tlsmem_feed", count, DRIVEN | STATUS(TLSMEM_AGAIN));
    if (count > (ptrdiff_t)part)
        fail(e->number / 2, "fed too much", "end %d", e->number);
    if (count > 0) {
        memmove(e->held, e->held + count, e->held_count - (size_t)count);
        e->held_count -= (size_t)count;
        w.events++;
    }
    if (count < 0 && count != TLSMEM_AGAIN)
        e->held_count = 0;
    return count > 0;
}

static int receive_held(end *e)
{
    if (e->held == NULL)
        e->held = malloc(HELD_MOST);
    ssize_t n = recv(e->fd, e->held, HELD_MOST, 0);
    int error = errno;
    if (n > 0) {
        e->held_count = (size_t)n;
        return 1;
    }
    if (n < 0 && (error == EAGAIN || error == EINTR))
        return 1;
    e->fed_end = 1;
    int status = n == 0 ? tlsmem_feed_eof(e->c) : tlsmem_feed_error(e->c, error);
    note(n == 0 ? "tlsmem_feed_eof" : "tlsmem_feed_error", e->number, status, 0);
    if (e->c != NULL)
        check_status(e, "the end fed", status, DRIVEN);
    return 1;
}

/** It is over: what is left is sent, then FIN, and what comes is dropped until the peer has closed, too. */
static int leave(end *e)
{
    char dropped[4096];
    if (!e->leaves) {
        e->leaves = 1;
        e->leaves_until = clock_now() + 2000;
    }
    uint32_t ready = kernel_ready(e->fd);
    if (e->leaves == 1) {
        if ((ready & EPOLLOUT) != 0 && send_outgoing(e))
            return 1;
        tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
        tlsmem_want(e->c, &want);
        if (want.has_ciphertext && clock_now() < e->leaves_until)
            return 0;
        shutdown(e->fd, SHUT_WR);
        e->leaves = 2;
        return 1;
    }
    ssize_t n = (ready & EPOLLIN) != 0 ? recv(e->fd, dropped, sizeof dropped, 0) : -2;
    if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR) || clock_now() >= e->leaves_until) {
        end_free(e);
        return 1;
    }
    return n > 0 || n == -1;
}

static int drive_buffers(end *e)
{
    if (e->is_closed)
        return leave(e);
    uint32_t ready = kernel_ready(e->fd);
    if (e->is_connecting) {
        if ((ready & (EPOLLOUT | EPOLLERR)) == 0)
            return 0;
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        e->is_connecting = 0;
        if (error != 0)
            end_free(e);
        else if (chance_permille(&application_chance, 600))
            change_face(e);
        return 1;
    }
    int64_t deadline = tlsmem_deadline(e->c);
    if (deadline >= 0 && deadline <= clock_now()) {
        note("tlsmem_tick", e->number, tlsmem_tick(e->c, clock_now()), 0);
        look_for_spin(e, "a deadline");
        return 1;
    }
    int did = 0;
    if ((ready & EPOLLOUT) != 0)
        did |= send_outgoing(e);
    if (e->face != FACE_BUFFERS)
        return 1; /* a callback has given its socket away */
    if (is_alive(e) && e->held_count > 0)
        did |= feed_held(e);
    else if (is_alive(e) && !e->fed_end && (ready & EPOLLIN) != 0)
        did |= receive_held(e);
    if (did)
        look_for_spin(e, "its bytes");
    return did;
}

/* ---- all */

int end_drive(end *e)
{
    if (e->c == NULL)
        return 0;
    if (e->face == FACE_BUFFERS)
        return drive_buffers(e);
    if (e->is_closed) { /* nothing is left to be done in the other faces */
        end_free(e);
        return 1;
    }
    return e->face == FACE_FD ? drive_fd(e) : 0;
}

int64_t end_next(end *e)
{
    if (e->c == NULL || e->face == FACE_LOOP)
        return -1;
    return e->leaves ? e->leaves_until : e->is_closed || e->is_connecting ? -1 : tlsmem_deadline(e->c);
}

int loop_drive(int loop)
{
    tlsmem_loop *l = w.loops[loop];
    if ((kernel_ready(tlsmem_loop_fd(l)) & EPOLLIN) == 0 && tlsmem_loop_timeout(l) != 0)
        return 0;
    int handled = tlsmem_loop_run_once(l, 0);
    note("tlsmem_loop_run_once", -1, loop, handled);
    uint64_t now = kernel_progress() + w.events;
    if (now != w.loop_progress[loop]) {
        w.loop_progress[loop] = now;
        w.loop_idle[loop] = 0;
    } else if (++w.loop_idle[loop] > (uint64_t)(200 + 4 * w.connections)) {
        fail(-1, "spin", "loop %d has something to do again and again, and nothing happens", loop);
    }
    return 1;
}
