/* shim_drive.c - how the shim moves bytes: over the buffers face by its own recv and send, or over the fd face. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "shim.h"
#include "socket.h"

static int state(const struct tls *tls)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    return tlsmem_want(tls->c, &want) == TLSMEM_OK ? want.state : TLSMEM_STATE_CLOSED;
}

static void answer(struct tls *tls)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    uint64_t token = tls->token;
    reply.insecure_accept = tls->insecure_accept;
    reply.bytes = tls->answer_bytes;
    reply.length = tls->answer_length;
    tls->token = 0; /* going on may ask the next one */
    if (tlsmem_answer(tls->c, token, tls->answer, &reply) == TLSMEM_OK)
        tlsmem_handshake(tls->c);
}

/* With -async bytes go one by one, both ways. */
static size_t at_most(const struct tls *tls, size_t n)
{
    return tls->flags->async && n > 1 ? 1 : n;
}

/* Sends what the socket takes. Returns POLLOUT when it is full. */
static int send_some(struct tls *tls)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(tls->c, &bytes, &n) == TLSMEM_OK) {
        ssize_t sent = send(tls->fd, bytes, at_most(tls, n), MSG_NOSIGNAL);
        if (sent > 0 && tlsmem_outgoing_consume(tls->c, (size_t)sent) == TLSMEM_OK)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return POLLOUT;
        tlsmem_feed_error(tls->c, sent < 0 ? errno : EIO);
        return 0;
    }
    return 0;
}

/* Feeds what was received; what is not taken is kept. */
static void feed_kept(struct tls *tls)
{
    ptrdiff_t taken = tlsmem_feed(tls->c, tls->kept, at_most(tls, tls->kept_bytes));
    if (taken == TLSMEM_AGAIN)
        return;
    size_t n = taken < 0 ? tls->kept_bytes : (size_t)taken; /* it has ended */
    memmove(tls->kept, tls->kept + n, tls->kept_bytes - n);
    tls->kept_bytes -= n;
}

static void receive(struct tls *tls)
{
    ssize_t n = recv(tls->fd, tls->kept, sizeof tls->kept, 0);
    if (n > 0)
        tls->kept_bytes = (size_t)n;
    else if (n == 0)
        tlsmem_feed_eof(tls->c);
    else if (errno != EAGAIN && errno != EINTR)
        tlsmem_feed_error(tls->c, errno);
}

static bool turn_of_buffers(struct tls *tls)
{
    int full = send_some(tls);
    if (tls->kept_bytes > 0) {
        feed_kept(tls);
        return true;
    }
    if (state(tls) == TLSMEM_STATE_CLOSED)
        return false;
    if (tls->token != 0)
        return true;
    int came = socket_wait(tls->fd, POLLIN | full, PATIENCE_MS);
    if (came & ~POLLOUT)
        receive(tls);
    return came != 0;
}

static bool turn_of_fd(struct tls *tls)
{
    int wanted = tlsmem_interest(tls->c);
    if (wanted == 0)
        return tls->token != 0;
    int came = socket_wait(tls->fd, wanted, PATIENCE_MS);
    if (came & ~POLLOUT)
        tlsmem_on_readable(tls->c);
    if (came & POLLOUT)
        tlsmem_on_writable(tls->c);
    return came != 0;
}

bool turn(struct tls *tls)
{
    if (tls->token != 0) {
        answer(tls);
        return true;
    }
    return tls->fd_face ? turn_of_fd(tls) : turn_of_buffers(tls);
}

bool send_all(struct tls *tls)
{
    if (!tls->fd_face) {
        while (send_some(tls) != 0)
            if (socket_wait(tls->fd, POLLOUT, PATIENCE_MS) == 0)
                return false;
        return true;
    }
    while (tlsmem_flush(tls->c) == TLSMEM_AGAIN)
        if (socket_wait(tls->fd, POLLOUT, PATIENCE_MS) == 0)
            return false;
    return true;
}
