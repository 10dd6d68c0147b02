/*
 * hello_poll.c - what hello.c does, in a loop of its own around poll: by the fd face, or by the buffers face.
 *
 * What stands between two comments "manual" and "end of" is shown in tlsmem(7).
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <tlsmem.h>
#include <unistd.h>

/* manual: dial */
/* Returns a socket that is connected and does not block, or -1. */
static int dial(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *all, *to;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &all) != 0)
        return -1;
    for (to = all; to != NULL && fd < 0; to = to->ai_next) {
        fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
        if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) != 0)
            close(fd), fd = -1;
    }
    freeaddrinfo(all);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        close(fd), fd = -1;
    return fd;
}
/* end of dial */

/* manual: wait */
/* Waits, to the next deadline at most, for what fd is ready for. */
static int wait_for(const tlsmem *c, int fd, int events)
{
    struct pollfd p = { fd, (short)events, 0 };
    int64_t next = tlsmem_deadline(c), left = next - tlsmem_now();
    int most = left < 0 ? 0 : left < 60000 ? (int)left : 60000;
    if (events == 0)
        p.fd = -1; /* poll reports a hang-up unasked, for ever */
    poll(&p, 1, next < 0 ? -1 : most);
    return p.revents;
}
/* end of wait */

/* manual: fd */
/* One turn: the library receives and sends. */
static int turn_fd(tlsmem *c)
{
    int status = tlsmem_tick(c, tlsmem_now()); /* has it ended? */
    if (status != TLSMEM_OK)
        return status;
    int ready = wait_for(c, tlsmem_fd(c), tlsmem_interest(c));
    if (ready & ~POLLOUT) /* errors are found by receiving, */
        tlsmem_on_readable(c);
    if (ready & ~POLLIN) /* or by sending */
        tlsmem_on_writable(c);
    return TLSMEM_OK;
}
/* end of fd */

/* manual: buffers */
struct wire {
    int fd;
    size_t n; /* received, and not taken yet */
    char bytes[16384];
};

static void receive(tlsmem *c, struct wire *w)
{
    ssize_t n = recv(w->fd, w->bytes, sizeof w->bytes, 0);
    if (n == 0)
        tlsmem_feed_eof(c);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        tlsmem_feed_error(c, errno);
    w->n = n > 0 ? (size_t)n : 0;
}

static void feed(tlsmem *c, struct wire *w)
{
    ptrdiff_t taken = tlsmem_feed(c, w->bytes, w->n);
    if (taken == TLSMEM_AGAIN)
        return; /* once what waits was read */
    w->n -= taken < 0 ? w->n : (size_t)taken; /* < 0: it has ended */
    memmove(w->bytes, w->bytes + (taken < 0 ? 0 : taken), w->n);
}

static void send_all(tlsmem *c, struct wire *w)
{
    const void *bytes;
    size_t n;
    ssize_t sent;
    while (tlsmem_outgoing_peek(c, &bytes, &n) == TLSMEM_OK) {
        if ((sent = send(w->fd, bytes, n, MSG_NOSIGNAL)) >= 0) {
            tlsmem_outgoing_consume(c, (size_t)sent);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            tlsmem_feed_error(c, errno);
        break;
    }
}

/* One turn: this program receives and sends. */
static int turn_buffers(tlsmem *c, struct wire *w)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    int ready = 0, status = tlsmem_tick(c, tlsmem_now());
    if (status != TLSMEM_OK)
        return status;
    tlsmem_want(c, &want);
    int events = (want.needs_ciphertext ? POLLIN : 0)
                 | (want.has_ciphertext ? POLLOUT : 0);
    if (w->n == 0 || !want.needs_ciphertext)
        ready = wait_for(c, w->fd, events);
    if (w->n == 0 && ready & ~POLLOUT)
        receive(c, w);
    if (w->n > 0)
        feed(c, w);
    send_all(c, w); /* after every call: an alert, too */
    return TLSMEM_OK;
}
/* end of buffers */

/* manual: part */
/* FIN, and the peer is heard out, 1 MiB at most: a socket closed
 * with bytes unread sends a reset, and that destroys an alert. */
static void part(struct wire *w)
{
    struct pollfd p = { .fd = w->fd, .events = POLLIN };
    shutdown(w->fd, SHUT_WR);
    for (int i = 0; i < 64 && poll(&p, 1, 1000) > 0; i++)
        if (recv(w->fd, w->bytes, sizeof w->bytes, 0) <= 0)
            break;
}
/* end of part */

int main(int argc, char **argv)
{
    static struct wire w;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (argc != 5 || tlsmem_ctx_set_ca_file(ctx, argv[4]) != TLSMEM_OK)
        return fputs("usage: hello_poll fd|buffers HOST PORT CA-FILE\n", stderr), 1;
    int has_fd = strcmp(argv[1], "fd") == 0, status = TLSMEM_EINVAL;
    if ((w.fd = dial(argv[2], argv[3])) < 0)
        return fprintf(stderr, "cannot connect to %s\n", argv[2]), 2;
    /* manual: client */
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    if (tlsmem_set_server_name(c, argv[2]) == TLSMEM_OK
        && (!has_fd || tlsmem_set_fd(c, w.fd) == TLSMEM_OK)
        && tlsmem_write(c, "hello\n", 6) == 6) /* waits by itself */
        status = TLSMEM_OK;
    while (status == TLSMEM_OK) {
        char text[4096];
        ptrdiff_t n;
        status = has_fd ? turn_fd(c) : turn_buffers(c, &w);
        while ((n = tlsmem_read(c, text, sizeof text)) > 0) {
            fwrite(text, 1, (size_t)n, stdout);
            tlsmem_close(c); /* goes on, until the peer has closed too */
        }
        if (n == 0)
            tlsmem_close(c); /* the peer was first */
    }
    if (status != TLSMEM_CLOSED && tlsmem_error(c, &error) == TLSMEM_OK)
        fprintf(stderr, "%s: %s\n", tlsmem_status_name(status),
                error.sentence);
    if (!has_fd)
        part(&w);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    close(w.fd);
    /* end of client */
    return status == TLSMEM_CLOSED ? 0 : 3;
}
