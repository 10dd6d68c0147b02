/* Stream sockets: what connects them, and what ends them. */
#define _GNU_SOURCE
#include "kernel.h"
#include "clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- made, bound, connected */

static sock *make(int *fd)
{
    *fd = file_open(KIND_SOCKET);
    if (*fd < 0)
        return NULL;
    sock *s = calloc(1, sizeof *s);
    s->connection = s->port = -1;
    s->fd = *fd;
    s->dry = 1;
    file_of(*fd)->sock = s;
    return s;
}

int socket(int family, int type, int protocol)
{
    (void)family, (void)type, (void)protocol;
    int fd;
    if (strikes(FAULT_EMFILE, 5))
        return failing(EMFILE);
    return make(&fd) == NULL ? -1 : fd;
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    sock *s = socket_of(fd);
    if (s == NULL || address->sa_family != AF_INET || length < sizeof(struct sockaddr_in))
        return failing(s == NULL ? EBADF : EAFNOSUPPORT);
    s->port = ntohs(((const struct sockaddr_in *)address)->sin_port);
    return 0;
}

int listen(int fd, int backlog)
{
    sock *s = socket_of(fd);
    (void)backlog;
    if (s == NULL)
        return -1;
    s->stage = STAGE_LISTENING;
    return 0;
}

static sock *listener_at(int port)
{
    for (int fd = KERNEL_FDS; fd < KERNEL_FDS + KERNEL_FDS_MOST; fd++) {
        file *f = file_of(fd);
        if (f != NULL && f->kind == KIND_SOCKET && f->sock->stage == STAGE_LISTENING
            && f->sock->port == port / PORTS_EACH * PORTS_EACH)
            return f->sock;
    }
    return NULL;
}

static tlsmem_wire *wire(tlsmem_wire_faults *kept)
{
    tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT;
    faults.seed = chance_next(&kernel_chance);
    faults.capacity = 65536;
    if (strikes(FAULT_SMALL, 250))
        faults.capacity = chance_size(&kernel_chance, 16384);
    if (strikes(FAULT_CUT, 400)) {
        faults.chunk_most = chance_size(&kernel_chance, 4096);
        faults.chunk_least = 1;
    }
    if (strikes(FAULT_DELAY, 400))
        faults.delay_most_ms = (unsigned)chance_size(&kernel_chance, 200);
    if (strikes(FAULT_STALL, 8))
        faults.stall_after = 1 + chance_size(&kernel_chance, 65536);
    *kept = faults;
    return tlsmem_wire_new(&faults);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    sock *s = socket_of(fd);
    if (s == NULL || length < sizeof(struct sockaddr_in))
        return failing(s == NULL ? EBADF : EINVAL);
    s->port = ntohs(((const struct sockaddr_in *)address)->sin_port);
    s->connection = s->port % PORTS_EACH;
    s->stage = STAGE_CONNECTING;
    s->connects_at = clock_now() + 1 + (int64_t)chance_below(&kernel_chance, 20);
    sock *listener = listener_at(s->port);
    if (listener == NULL || listener->waiting_count == 512 || strikes(FAULT_REFUSED, 10))
        s->error = ECONNREFUSED;
    else if (strikes(FAULT_TIMEDOUT, 5)) {
        s->error = ETIMEDOUT;
        s->connects_at += 3000;
    } else {
        s->cable = calloc(1, sizeof *s->cable);
        s->cable->ends = 2;
        for (int side = 0; side < 2; side++)
            s->cable->wires[side] = wire(&s->cable->faults[side]);
        sock *other = calloc(1, sizeof *other); /* it has no descriptor until it is accepted */
        *other = (sock){ .stage = STAGE_CONNECTED, .port = s->port, .connection = s->connection, .side = 1,
                         .cable = s->cable, .peer = s, .dry = 1, .fd = -1 };
        s->peer = other;
        sock_looks(s);
        listener->waiting[listener->waiting_count++] = other;
    }
    note("connect", kernel_number_of(s), s->error, s->connects_at - clock_now());
    progress();
    if (strikes(FAULT_EINTR, 50))
        return failing(EINTR);
    return failing(EINPROGRESS);
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    sock *s = socket_of(fd);
    (void)flags;
    if (s == NULL || s->stage != STAGE_LISTENING)
        return failing(s == NULL ? EBADF : EINVAL);
    if (s->waiting_count == 0)
        return failing(EAGAIN);
    if (strikes(FAULT_EMFILE, 10)) {
        note("accept4", -1, EMFILE, 0);
        progress();
        return failing(EMFILE);
    }
    if (strikes(FAULT_EINTR, 20))
        return failing(EINTR);
    int accepted = file_open(KIND_SOCKET);
    if (accepted < 0)
        return -1;
    sock *other = s->waiting[0];
    memmove(s->waiting, s->waiting + 1, sizeof *s->waiting * (size_t)--s->waiting_count);
    file_of(accepted)->sock = other;
    other->fd = accepted;
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons((uint16_t)other->port) };
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    if (address != NULL && length != NULL) {
        memcpy(address, &from, *length < sizeof from ? *length : sizeof from);
        *length = sizeof from;
    }
    note("accept4", kernel_number_of(other), accepted, 0);
    progress();
    return accepted;
}

/* ---- closing, by whichever side */

static void leave_cable(sock *s)
{
    if (s->peer != NULL) {
        s->peer->peer = NULL;
        s->peer->peer_has_shut = 1;
    }
    if (s->cable != NULL && --s->cable->ends == 0) {
        tlsmem_wire_free(s->cable->wires[0]);
        tlsmem_wire_free(s->cable->wires[1]);
        free(s->cable);
    }
    free(s);
}

/** Both directions are gone at once. */
static void break_cable(sock *s)
{
    tlsmem_wire_reset(s->cable->wires[0]);
    tlsmem_wire_reset(s->cable->wires[1]);
    sock_looks(s);
    for (sock *each = s; each != NULL; each = each == s ? s->peer : NULL)
        if (!each->is_broken) {
            each->is_broken = 1;
            each->error = ECONNRESET;
            each->in_edges++, each->out_edges++;
            each->full = 0;
            each->refuses_in_until = each->refuses_out_until = 0;
        }
}

void sock_close(sock *s)
{
    while (s->waiting_count > 0) { /* those that nobody has accepted are reset */
        sock *other = s->waiting[--s->waiting_count];
        break_cable(other);
        leave_cable(other);
    }
    if (s->cable != NULL && !s->is_broken) {
        if (tlsmem_wire_in_flight(in_of(s)) > 0 && sock_can_take(s))
            break_cable(s); /* bytes unread: a reset, and what is under way is lost */
        else
            tlsmem_wire_end(out_of(s));
        sock_looks(s);
    }
    leave_cable(s);
}

int shutdown(int fd, int how)
{
    sock *s = socket_of(fd);
    if (s == NULL || how == SHUT_RD)
        return s == NULL ? -1 : 0;
    note("shutdown", kernel_number_of(s), s->stage, 0);
    if (s->stage != STAGE_CONNECTED || s->is_broken)
        return failing(ENOTCONN);
    s->has_shut = 1;
    tlsmem_wire_end(out_of(s));
    sock_looks(s);
    if (s->peer != NULL)
        s->peer->peer_has_shut = 1;
    progress();
    return 0;
}

void kernel_breaks(int fd)
{
    file *f = file_of(fd);
    if (f == NULL || f->kind != KIND_SOCKET || f->sock->stage != STAGE_CONNECTED || f->sock->is_broken)
        return;
    note("reset", kernel_number_of(f->sock), 0, 0);
    break_cable(f->sock);
}

void kernel_ends(int fd)
{
    file *f = file_of(fd);
    if (f == NULL || f->kind != KIND_SOCKET || f->sock->stage != STAGE_CONNECTED || f->sock->is_broken)
        return;
    note("fin", kernel_number_of(f->sock), 0, 0);
    tlsmem_wire_end(in_of(f->sock));
    sock_looks(f->sock);
    f->sock->peer_has_shut = f->sock->truth.cut = 1;
    if (f->sock->peer != NULL)
        f->sock->peer->peer_is_cut = 1;
}

void sock_hurries(sock *s)
{
    tlsmem_wire_faults *faults = &s->cable->faults[s->side];
    s->hurries = 1;
    if (faults->chunk_most > 0 && faults->chunk_most < 2048)
        faults->chunk_most = 2048;
    if (faults->capacity < 4096)
        faults->capacity = 4096;
    (void)tlsmem_wire_set_faults(out_of(s), faults);
    sock_looks(s);
}

void sock_calms(sock *s)
{
    for (int i = 0; s->cable != NULL && i < 2; i++)
        (void)tlsmem_wire_set_faults(s->cable->wires[i], NULL);
    if (s->cable != NULL)
        sock_looks(s);
    for (int i = 0; i < s->waiting_count; i++)
        sock_calms(s->waiting[i]);
}
