/* starttls_talk.c - a conversation in lines, in plain or by TLS in the fd face; see starttls.h. */
#include "starttls.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int talk_fail(struct talk *t, int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(t->why, sizeof t->why, format, list);
    va_end(list);
    t->code = code;
    return -1;
}

static int peer_closed(struct talk *t)
{
    t->why[0] = '\0';
    t->code = EXIT_NETWORK;
    return -1;
}

/* Waits until the socket is ready for one of the events. Returns what it is ready for, 0 when a deadline of TLS passed. */
static int wait_for(struct talk *t, int events)
{
    struct pollfd p = { .fd = t->fd, .events = (short)events };
    int64_t deadline = t->c != NULL ? tlsmem_deadline(t->c) : -1, left = t->wait_ms;
    if (deadline >= 0 && deadline - tlsmem_now() < left)
        left = deadline - tlsmem_now();
    int n = poll(&p, 1, left > 0 ? (int)left : 0);
    if (n < 0 && errno != EINTR)
        return talk_fail(t, EXIT_NETWORK, "poll: %s", strerror(errno));
    if (n == 0 && left == t->wait_ms)
        return talk_fail(t, EXIT_NETWORK, "the peer was silent for %ld ms", t->wait_ms);
    return n > 0 ? p.revents : 0;
}

int talk_drive(struct talk *t)
{
    int ready = wait_for(t, tlsmem_interest(t->c));
    if (ready < 0)
        return -1;
    if (ready & ~POLLOUT)
        tlsmem_on_readable(t->c);
    if (ready & ~POLLIN)
        tlsmem_on_writable(t->c);
    tlsmem_tick(t->c, tlsmem_now());
    return 0; /* what has failed is seen by whoever wants something */
}

/* Returns 0 once the socket is connected, or why not. */
static int connection_error(struct talk *t)
{
    int error = 0;
    socklen_t n = sizeof error;
    if (wait_for(t, POLLOUT) < 0)
        return ETIMEDOUT;
    return getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

int talk_connect(struct talk *t, const char *host, long port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    char text[24];
    int error = 0;
    snprintf(text, sizeof text, "%ld", port);
    int unknown = getaddrinfo(host, text, &hints, &found);
    if (unknown)
        return talk_fail(t, EXIT_NETWORK, "%s: %s", host, gai_strerror(unknown));
    for (const struct addrinfo *to = found; to != NULL; to = to->ai_next) {
        t->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        error = t->fd >= 0 && connect(t->fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS)
            error = connection_error(t);
        if (error == 0)
            break;
        close(t->fd);
        t->fd = -1;
    }
    freeaddrinfo(found);
    if (error != 0)
        return talk_fail(t, EXIT_NETWORK, "cannot connect to %s port %ld: %s", host, port, strerror(error));
    return 0;
}

static ptrdiff_t receive_plain(struct talk *t, void *bytes, size_t n)
{
    for (;;) {
        ssize_t got = recv(t->fd, bytes, n, 0);
        if (got > 0)
            return got;
        if (got == 0)
            return peer_closed(t);
        if (errno != EAGAIN && errno != EINTR)
            return talk_fail(t, EXIT_NETWORK, "cannot receive: %s", strerror(errno));
        if (wait_for(t, POLLIN) < 0)
            return -1;
    }
}

static int send_plain(struct talk *t, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(t->fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return talk_fail(t, EXIT_NETWORK, "cannot send: %s", strerror(errno));
        if (sent < 0 && wait_for(t, POLLOUT) < 0)
            return -1;
        bytes += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

int talk_tls_failed(struct talk *t, ptrdiff_t status)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(t->c, &error);
    return talk_fail(t, exit_code((int)status), "%s",
                     error.status != TLSMEM_OK ? error.sentence : tlsmem_strerror((int)status));
}

int talk_receive(struct talk *t)
{
    char text[4096];
    ptrdiff_t n = TLSMEM_AGAIN;
    if (t->c == NULL && (n = receive_plain(t, text, sizeof text)) < 0)
        return -1;
    while (n == TLSMEM_AGAIN && (n = tlsmem_read(t->c, text, sizeof text)) == TLSMEM_AGAIN)
        if (talk_drive(t) != 0)
            return -1;
    if (n <= 0)
        return n == 0 ? peer_closed(t) : talk_tls_failed(t, n);
    keep(&t->in, text, (size_t)n);
    return 0;
}

int talk_line(struct talk *t, char *line, size_t room)
{
    const char *end;
    while ((end = t->in.n > 0 ? memchr(t->in.at, '\n', t->in.n) : NULL) == NULL && t->in.n < room)
        if (talk_receive(t) != 0)
            return -1;
    size_t n = end != NULL ? (size_t)(end - t->in.at) : room;
    if (n >= room)
        return talk_fail(t, EXIT_NETWORK, "the peer's line is too long");
    if (n == 0 || t->in.at[n - 1] != '\r') /* others may see no end of a line there (CVE-2023-51764) */
        return talk_fail(t, EXIT_NETWORK, "the peer's line does not end with CR LF");
    memcpy(line, t->in.at, n);
    line[n - 1] = '\0';
    drop(&t->in, n + 1);
    return 0;
}

int talk_send(struct talk *t, const void *bytes, size_t n)
{
    const char *next = bytes;
    if (t->c == NULL)
        return send_plain(t, next, n);
    while (n > 0) {
        ptrdiff_t taken = tlsmem_write(t->c, next, n);
        if (taken < 0 && taken != TLSMEM_AGAIN)
            return talk_tls_failed(t, taken);
        if (taken < 0 && talk_drive(t) != 0)
            return -1;
        next += taken > 0 ? taken : 0;
        n -= taken > 0 ? (size_t)taken : 0;
    }
    int status;
    while ((status = tlsmem_flush(t->c)) == TLSMEM_AGAIN)
        if (talk_drive(t) != 0)
            return -1;
    return status == TLSMEM_OK || status == TLSMEM_CLOSED ? 0 : talk_tls_failed(t, status);
}
