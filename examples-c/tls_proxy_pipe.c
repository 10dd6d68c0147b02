/*
 * tls_proxy_pipe.c - a session: bytes both ways between TLS and a plain socket, and how they end.
 *
 * Nothing is kept but what the plain side refused, which is a piece at most: then TLS is paused. While too much waits to be
 * sent in TLS, the plain side is not read. Each direction ends by itself, and is told to the other side: close_notify
 * becomes a FIN, and a FIN close_notify. An end that is no clean one goes on as one: a reset, or no close_notify.
 */
#include "tls_proxy.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECES_PER_TURN = 2, END_MS = 5000 };

/* Sends what the plain side takes, and returns how much that is. */
static size_t send_plain(struct session *s, const char *bytes, size_t n)
{
    ssize_t sent = s->connecting ? 0 : send(s->fd, bytes, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        s->plain_deaf = 1; /* it may still speak, */
        s->plain_lost |= errno != EPIPE; /* or have spoken: what send has told, recv does not tell again */
    }
    if (sent > 0)
        COUNT(s->worker->proxy->counts.to_plain, (uint64_t)sent);
    return s->plain_deaf ? n : sent > 0 ? (size_t)sent : 0;
}

void send_gathered(struct worker *w)
{
    struct session *s = w->gathering;
    if (s == NULL)
        return;
    size_t n = w->gathered, sent = s->plain_deaf ? n : send_plain(s, w->gather, n);
    w->gathering = NULL;
    w->gathered = 0;
    if (sent == n)
        return;
    keep(&s->out, w->gather + sent, n - sent);
    s->paused = 1;
    tlsmem_pause(s->c);
    settle(s);
}

/* A record has 16 KiB at most, and a send for each would be dear: what comes in one turn of the loop goes out together. */
static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct session *s = user;
    struct worker *w = s->worker;
    if (w->gathering != s || n > PIECE - w->gathered)
        send_gathered(w);
    if (s->plain_deaf)
        return;
    if (s->out.n == 0 && s->fd >= 0 && !s->connecting && n <= PIECE) {
        w->gathering = s;
        memcpy(w->gather + w->gathered, bytes, n);
        w->gathered += n;
        return;
    }
    keep(&s->out, bytes, n);
    s->paused = 1;
    tlsmem_pause(c);
    settle(s);
}

/* Reads what the plain side has, and writes it to TLS. It is read only while TLS is not congested, so that a piece has room
 * between outgoing_high and outgoing_max. */
static void read_plain(struct session *s)
{
    struct worker *w = s->worker;
    for (int i = 0; i < PIECES_PER_TURN && s->c != NULL && !tlsmem_is_congested(s->c); i++) {
        ssize_t n = recv(s->fd, w->piece, PIECE, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        s->plain_failed = n < 0 || (n == 0 && s->plain_lost);
        if (s->plain_failed)
            complain(s, "the plain side is lost", n < 0 ? errno : 0);
        s->plain_ended = n <= 0 || tlsmem_write(s->c, w->piece, (size_t)n) != n; /* or nobody is there to be told */
        if (s->plain_ended)
            return;
        COUNT(w->proxy->counts.to_tls, (uint64_t)n);
        if (n < PIECE)
            return;
    }
}

void pipe_ready(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct session *s = user;
    (void)loop, (void)fd;
    if (!s->connecting || plain_connected(s)) {
        if (s->out.n > 0)
            drop(&s->out, send_plain(s, s->out.at, s->out.n));
        if (events & POLLIN)
            read_plain(s);
    }
    settle(s);
}

static void on_established(tlsmem *c, void *user)
{
    struct session *s = user;
    (void)c;
    if (s->fd < 0)
        connect_plain(s);
    settle(s);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)c;
    settle(user);
}

static void on_eof(tlsmem *c, void *user)
{
    struct session *s = user;
    (void)c;
    s->tls_ended = 1;
    settle(s);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct session *s = user;
    struct proxy *p = s->worker->proxy;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(c, &error);
    if (report->status == TLSMEM_ECONNECT && try_later(s, error.sys_errno)) {
        tlsmem_free(c);
        s->c = NULL;
        return;
    }
    s->failed = report->status != TLSMEM_OK;
    if (s->failed)
        COUNT(p->counts.failed, 1);
    if (s->failed && !s->plain_failed && p->verbose)
        say_failure(c);
    tlsmem_free(c);
    s->c = NULL;
    s->tls_ended = 1;
    settle(s);
}

const tlsmem_callbacks pipe_callbacks = { sizeof pipe_callbacks, on_established, on_data, on_drain, on_eof, on_close };

/* What the plain side is waited for. An epoll_ctl only when that changes: when a side is full, and when it is not any more. */
static void watch_plain(struct session *s)
{
    int events = s->queueing ? 0 : s->connecting || s->out.n > 0 ? POLLOUT : 0;
    if (s->c != NULL && tlsmem_is_established(s->c) && !s->connecting && !s->plain_ended && !tlsmem_is_congested(s->c))
        events |= POLLIN;
    if (s->fd >= 0 && events != s->watched && tlsmem_loop_watch(s->worker->loop, s->fd, events, pipe_ready, s) == TLSMEM_OK)
        s->watched = events;
}

static void give_up(tlsmem_timer *timer, void *user)
{
    struct session *s = user;
    (void)timer;
    s->plain_deaf = 1;
    settle(s);
}

/* A call from here may call back, and so come here again: then this one goes on. */
void settle(struct session *s)
{
    if (s->settling)
        return;
    s->settling = 1;
    if (s->plain_deaf)
        drop(&s->out, s->out.n);
    if (s->c != NULL && s->paused && s->out.n == 0) {
        s->paused = 0;
        tlsmem_resume(s->c);
    }
    if (s->c != NULL && s->plain_failed)
        tlsmem_abort(s->c);
    if (s->c != NULL && s->plain_ended && !s->tls_told) {
        s->tls_told = 1;
        tlsmem_close_write(s->c);
    }
    if (s->worker->gathering == s) /* those calls may have brought it */
        send_gathered(s->worker);
    if (s->tls_ended && s->out.n == 0 && s->fd >= 0 && !s->connecting && !s->failed && !s->plain_told) {
        s->plain_told = 1;
        shutdown(s->fd, SHUT_WR);
    }
    s->settling = 0;
    if (s->c == NULL && (s->fd < 0 || s->out.n == 0)) {
        end_session(s);
        return;
    }
    if (s->c == NULL && s->timer == NULL)
        s->timer = tlsmem_loop_timer(s->worker->loop, END_MS, give_up, s);
    watch_plain(s);
}
