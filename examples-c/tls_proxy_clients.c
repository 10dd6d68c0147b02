/*
 * tls_proxy_clients.c - accepting: how a session begins.
 *
 * All workers accept at one socket: whoever has time takes the client. In server mode the client's socket becomes the TLS
 * side, and the plain side is connected once the handshake is done, so that whoever cannot speak TLS costs the upstream
 * nothing. In client mode the client's socket is the plain side. A PROXY header comes before all of that.
 */
#include "proxy_protocol.h"
#include "tls_proxy.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_PER_TURN = 16, HEADER_MS = 5000, PAUSE_MS = 1000 };

void complain(const struct session *s, const char *what, int error)
{
    if (s->worker->proxy->verbose)
        say("%s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
}

void end_session(struct session *s)
{
    struct worker *w = s->worker;
    struct linger at_once = { 1, 0 }; /* a reset */
    COUNT(w->proxy->counts.active, -1);
    if (s->fd >= 0 && s->failed)
        setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_plain(s);
    tlsmem_timer_free(s->timer);
    drop(&s->header, s->header.n);
    drop(&s->out, s->out.n);
    free(s);
    if (w->sessions-- == w->proxy->sessions_max && !w->draining)
        start_accepting(w);
}

static void refuse(struct session *s, const char *why, int error)
{
    complain(s, why, error);
    COUNT(s->worker->proxy->counts.failed, 1);
    s->failed = 1;
    end_session(s);
}

static int add_tls(struct session *s)
{
    int status = tlsmem_loop_add(s->worker->loop, s->c, s->fd);
    if (status == TLSMEM_OK) {
        tlsmem_own_fd(s->c, 1);
        s->fd = -1;
    }
    return status;
}

void begin_tls(struct session *s)
{
    struct proxy *p = s->worker->proxy;
    s->c = tlsmem_new(p->ctx, &pipe_callbacks, s);
    int status = s->c == NULL ? TLSMEM_ENOMEM : p->role == TLSMEM_SERVER ? add_tls(s) : connect_tls(s);
    if (status == TLSMEM_OK) {
        settle(s);
        return;
    }
    tlsmem_free(s->c);
    refuse(s, tlsmem_strerror(status), 0);
}

static void header_is_late(tlsmem_timer *timer, void *user)
{
    (void)timer;
    refuse(user, "no PROXY header has come", 0);
}

/* Never reads further than the header goes: what follows is TLS, or the client's own. */
static void on_header(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct session *s = user;
    char piece[256];
    int missing = proxy_header_missing(s->header.at, s->header.n);
    ssize_t n = recv(fd, piece, (size_t)missing < sizeof piece ? (size_t)missing : sizeof piece, 0);
    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    keep(&s->header, piece, n > 0 ? (size_t)n : 0);
    missing = n > 0 ? proxy_header_missing(s->header.at, s->header.n) : -1;
    if (missing < 0) {
        refuse(s, "that is no PROXY header", n < 0 ? errno : 0);
    } else if (missing == 0) {
        watch(loop, fd, 0, NULL, NULL);
        tlsmem_timer_free(s->timer);
        s->timer = NULL;
        if (!s->worker->proxy->send_proxy)
            drop(&s->header, s->header.n); /* or it goes on as it is */
        begin_tls(s);
    }
}

static void greet(struct worker *w, int fd)
{
    struct proxy *p = w->proxy;
    struct session *s = calloc(1, sizeof *s);
    unsigned char header[PROXY_HEADER_MOST];
    if (s == NULL) {
        close(fd);
        return;
    }
    set_up(fd);
    s->worker = w;
    s->fd = fd;
    w->sessions++;
    COUNT(p->counts.accepted, 1);
    COUNT(p->counts.active, 1);
    if (p->accept_proxy) {
        s->timer = tlsmem_loop_timer(w->loop, HEADER_MS, header_is_late, s);
        watch(w->loop, fd, POLLIN, on_header, s);
        return;
    }
    if (p->send_proxy)
        keep(&s->header, header, proxy_header_make(fd, header));
    begin_tls(s);
}

static void accept_again(tlsmem_timer *timer, void *user)
{
    tlsmem_timer_free(timer);
    if (!((struct worker *)user)->draining)
        start_accepting(user);
}

/* Takes no more than there are descriptors for, also for their upstreams: who finds no place waits in the kernel. */
static void on_clients(tlsmem_loop *loop, int listener, int events, void *user)
{
    struct worker *w = user;
    (void)events;
    for (int i = 0; i < CLIENTS_PER_TURN && w->sessions < w->proxy->sessions_max; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            greet(w, fd);
        else if (ran_out(errno) && tlsmem_loop_timer(loop, PAUSE_MS, accept_again, w) != NULL)
            watch(loop, listener, 0, NULL, NULL);
        if (fd < 0)
            return;
    }
    if (w->sessions == w->proxy->sessions_max)
        watch(loop, listener, 0, NULL, NULL); /* until one of them ends */
}

void start_accepting(struct worker *w)
{
    watch(w->loop, w->proxy->listener, POLLIN, on_clients, w);
}

void stop_accepting(struct worker *w)
{
    on_clients(w->loop, w->proxy->listener, POLLIN, w); /* those who have come already */
    watch(w->loop, w->proxy->listener, 0, NULL, NULL);
    if (COUNT(w->proxy->accepting, -1) == 1)
        shutdown(w->proxy->listener, SHUT_RDWR); /* from now on clients are refused */
}

/* A session has two descriptors, a loop three, and there are some others. */
void limit_sessions(struct proxy *p)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        long room = files.rlim_max > 1 << 20 ? 1 << 20 : (long)files.rlim_max;
        long most = (room - 16 - 3 * p->threads) / 2;
        if (p->sessions_max == 0 || p->sessions_max > most)
            p->sessions_max = most;
    }
    p->sessions_max = p->sessions_max / p->threads;
    if (p->sessions_max < 1)
        usage_error("--max: not one session for each thread");
}
