/* Stream sockets: when they are ready, and what becomes of bytes. */
#define _GNU_SOURCE
#include "kernel.h"
#include "clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

/* ---- readiness */

void sock_looks(sock *s)
{
    s->arrives = tlsmem_wire_ready_at(in_of(s));
    if (s->peer != NULL)
        s->peer->arrives = tlsmem_wire_ready_at(out_of(s));
}

int sock_can_take(const sock *s)
{
    return s->error != 0 || s->is_broken || (s->arrives >= 0 && s->arrives <= clock_now());
}

static int has_room(const sock *s)
{
    return s->is_broken || s->has_shut || s->error != 0 || (tlsmem_wire_ready(out_of(s), clock_now()) & POLLOUT) != 0;
}

/** Notes the edges that have come since the last look. */
static void look(sock *s)
{
    if (s->stage != STAGE_CONNECTED)
        return;
    if (s->dry && clock_now() >= s->refuses_in_until && sock_can_take(s)) {
        s->dry = 0;
        s->in_edges++;
    }
    if (s->full && clock_now() >= s->refuses_out_until && has_room(s)) {
        s->full = 0;
        s->out_edges++;
    }
}

uint32_t sock_ready(sock *s)
{
    switch (s->stage) {
    case STAGE_FRESH: return EPOLLOUT | EPOLLHUP;
    case STAGE_LISTENING: return s->waiting_count > 0 ? EPOLLIN : 0;
    case STAGE_CONNECTING:
        if (clock_now() < s->connects_at)
            return 0;
        return EPOLLOUT | (s->error != 0 ? EPOLLIN | EPOLLERR | EPOLLHUP : 0);
    case STAGE_UNCONNECTED: return EPOLLIN | EPOLLOUT | EPOLLHUP;
    case STAGE_CONNECTED: break;
    }
    look(s);
    uint32_t ready = 0;
    int refuses = clock_now() < s->refuses_in_until;
    if (!refuses && sock_can_take(s))
        ready |= EPOLLIN;
    if (!s->full && clock_now() >= s->refuses_out_until)
        ready |= EPOLLOUT;
    if (!refuses && s->peer_has_shut && tlsmem_wire_in_flight(in_of(s)) == 0)
        ready |= EPOLLRDHUP | (s->has_shut ? EPOLLHUP : 0);
    if (s->is_broken)
        ready |= EPOLLIN | EPOLLOUT | EPOLLHUP | (s->error != 0 ? EPOLLERR : 0);
    return ready;
}

int64_t sock_next(const sock *s)
{
    int64_t next = -1;
    const int64_t moments[] = {
        s->stage == STAGE_CONNECTING ? s->connects_at : -1, s->refuses_in_until, s->refuses_out_until,
        s->stage == STAGE_CONNECTED ? s->arrives : -1,
    };
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        if (moments[i] > clock_now() && (next < 0 || moments[i] < next))
            next = moments[i];
    return next;
}

/* ---- receiving and sending */

enum { SMALL_MOST = 6000 };

/** What was begun by connect is done when somebody looks after its time. */
static void arrive(sock *s)
{
    if (s->stage != STAGE_CONNECTING || clock_now() < s->connects_at)
        return;
    s->stage = s->error != 0 ? STAGE_UNCONNECTED : STAGE_CONNECTED;
    s->out_edges++;
    if (s->stage == STAGE_CONNECTED && s->is_broken)
        s->error = ECONNRESET;
}

static ssize_t refused(sock *s, const char *what, int error)
{
    if (what[0] == 's')
        s->truth.refused = 1;
    note(what, kernel_number_of(s), -error, 0);
    return failing(error);
}

static ssize_t told(sock *s, const char *what, int error)
{
    if (!s->truth.reset && !s->truth.pipe && !s->truth.other)
        progress(); /* whoever asks again and again gets nowhere */
    if (error == ECONNRESET)
        s->truth.reset = 1;
    else if (error == EPIPE)
        s->truth.pipe = 1;
    else
        s->truth.other = error;
    return refused(s, what, error);
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    sock *s = socket_of(fd);
    (void)flags;
    if (s == NULL)
        return -1;
    arrive(s);
    if (s->stage != STAGE_CONNECTED)
        return refused(s, "recv", s->stage == STAGE_CONNECTING ? EAGAIN : ENOTCONN);
    look(s);
    if (strikes(FAULT_EINTR, 10))
        return refused(s, "recv", EINTR);
    if (!s->is_broken && clock_now() < s->refuses_in_until)
        return refused(s, "recv", EAGAIN);
    if (!s->is_broken && sock_can_take(s) && strikes(FAULT_REFUSE, 20)) {
        s->refuses_in_until = clock_now() + 1 + (int64_t)chance_below(&kernel_chance, 3);
        s->dry = 1;
        progress();
        return refused(s, "recv", EAGAIN);
    }
    if (!s->is_broken && s->truth.received > 0 && strikes(FAULT_RESET, 1))
        kernel_breaks(fd);
    if (!s->is_broken && s->truth.received > 0 && strikes(FAULT_FIN, 1))
        kernel_ends(fd);
    ptrdiff_t count = s->is_broken && s->truth.reset ? 0 : tlsmem_wire_take(in_of(s), bytes, n, clock_now());
    if (count == TLSMEM_ERESET) {
        s->error = 0;
        return told(s, "recv", ECONNRESET);
    }
    if (count < 0) {
        s->dry = 1;
        return refused(s, "recv", EAGAIN);
    }
    if (count > 0 || !s->truth.end)
        progress();
    if (count == 0)
        s->truth.end = 1;
    s->truth.received += (uint64_t)count;
    total.bytes += (uint64_t)count;
    note("recv", kernel_number_of(s), count, (long)n);
    sock_looks(s);
    if (s->arrives < 0 || s->arrives > clock_now())
        s->dry = 1;
    return count;
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    sock *s = socket_of(fd);
    (void)flags;
    if (s == NULL)
        return -1;
    arrive(s);
    if (s->stage != STAGE_CONNECTED)
        return s->stage == STAGE_CONNECTING ? refused(s, "send", EAGAIN) : told(s, "send", EPIPE);
    look(s);
    if (strikes(FAULT_EINTR, 10))
        return refused(s, "send", EINTR);
    if (s->is_broken || s->has_shut) {
        if (s->error != 0) {
            s->error = 0;
            return told(s, "send", ECONNRESET);
        }
        return told(s, "send", EPIPE);
    }
    if (clock_now() < s->refuses_out_until)
        return refused(s, "send", EAGAIN);
    if (strikes(FAULT_ENOBUFS, 1))
        return told(s, "send", ENOBUFS);
    if (strikes(FAULT_REFUSE, 20)) {
        s->refuses_out_until = clock_now() + 1 + (int64_t)chance_below(&kernel_chance, 3);
        s->full = 1;
        progress();
        return refused(s, "send", EAGAIN);
    }
    ptrdiff_t count = tlsmem_wire_put(out_of(s), bytes, n, clock_now());
    if (count == TLSMEM_AGAIN) {
        s->full = 1;
        return refused(s, "send", EAGAIN);
    }
    if (count == TLSMEM_ESTATE && s->peer_is_cut)
        count = (ptrdiff_t)n; /* nobody will ever know */
    if (count <= 0)
        fail(s->connection, "wire", "a wire that is neither ended nor reset says %s", tlsmem_status_name((int)count));
    progress();
    sock_looks(s);
    note("send", kernel_number_of(s), count, (long)n);
    s->truth.sent += (uint64_t)count;
    s->truth.refused = (size_t)count < n;
    if (s->truth.sent > SMALL_MOST && !s->hurries && kernel_faults != 0)
        sock_hurries(s);
    if ((size_t)count < n)
        s->full = 1;
    if (s->peer == NULL) /* nobody is there any more: what was sent is answered with a reset */
        kernel_breaks(fd);
    return count;
}

/* ---- what is asked of sockets */

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict length)
{
    sock *s = socket_of(fd);
    if (s == NULL)
        return -1;
    int answer = 0;
    if (level != SOL_SOCKET)
        unknown_call("getsockopt", fd);
    switch (option) {
    case SO_ERROR:
        arrive(s);
        answer = s->error;
        s->error = 0;
        progress();
        note("SO_ERROR", kernel_number_of(s), answer, 0);
        break;
    case SO_TYPE: answer = SOCK_STREAM; break;
    case SO_ACCEPTCONN: answer = s->stage == STAGE_LISTENING; break;
    default: unknown_call("getsockopt", fd);
    }
    memcpy(value, &answer, *length < sizeof answer ? *length : sizeof answer);
    return 0;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    (void)level, (void)option, (void)value, (void)length;
    return socket_of(fd) == NULL ? -1 : 0;
}

static int name(const sock *s, int is_peer, struct sockaddr *answer, socklen_t *length)
{
    /* Who has connected is 127.0.0.2, of the port that says which connection it is; who listens is 127.0.0.1. */
    int is_client = s->side == 0 && s->stage != STAGE_LISTENING;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port) };
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (is_client != is_peer));
    memcpy(answer, &name, *length < sizeof name ? *length : sizeof name);
    *length = sizeof name;
    return 0;
}

int getsockname(int fd, struct sockaddr *restrict answer, socklen_t *restrict length)
{
    sock *s = socket_of(fd);
    return s == NULL ? -1 : name(s, 0, answer, length);
}

int getpeername(int fd, struct sockaddr *restrict answer, socklen_t *restrict length)
{
    sock *s = socket_of(fd);
    if (s == NULL)
        return -1;
    return s->stage == STAGE_CONNECTED ? name(s, 1, answer, length) : failing(ENOTCONN);
}

const struct truth *kernel_truth(int fd)
{
    file *f = file_of(fd);
    return f == NULL || f->kind != KIND_SOCKET ? NULL : &f->sock->truth;
}

size_t kernel_in_flight(int fd)
{
    file *f = file_of(fd);
    return f == NULL || f->kind != KIND_SOCKET || f->sock->cable == NULL ? 0 : tlsmem_wire_in_flight(in_of(f->sock));
}

int kernel_connection(int fd, int *side)
{
    file *f = file_of(fd);
    if (f == NULL || f->kind != KIND_SOCKET)
        return -1;
    *side = f->sock->side;
    return f->sock->connection;
}
