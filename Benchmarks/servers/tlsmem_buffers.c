/* tlsmem_buffers.c - libtlsmem's buffers face: recv and send are this program's, in the loop that the others have. */
#include "tlsmem_common.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { WIRE_BYTES = 65536 }; /* one buffer for all connections of a thread */

/* Sends what waits. Returns 1 when all of it went, 0 when the socket is full, -1 when the connection is gone. */
static int flush(struct tls *t)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(t->c, &bytes, &n) == TLSMEM_OK) {
        ssize_t sent = send(t->conn.fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN ? 0 : -1;
        tlsmem_outgoing_consume(t->c, (size_t)sent);
    }
    return 1;
}

static uint32_t download(struct tls *t)
{
    for (size_t sent = 0; sent < WRITE_BYTES_A_TURN; sent += options.size) {
        if (tlsmem_write(t->c, block, options.size) < 0)
            break;
        int flushed = flush(t);
        if (flushed < 0)
            return 0;
        if (flushed == 0)
            break;
    }
    return EPOLLOUT;
}

static uint32_t ready(struct conn *conn, uint32_t events)
{
    static __thread char wire[WIRE_BYTES];
    struct tls *t = (struct tls *)conn;
    int goes_on = 1;
    if (events & ~(uint32_t)EPOLLOUT) {
        ssize_t n = recv(conn->fd, wire, sizeof wire, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 0;
        if (n > 0)
            goes_on = tlsmem_feed(t->c, wire, (size_t)n) == n; /* with on_data, less is taken only at an end */
    }
    int flushed = flush(t);
    if (flushed < 0 || !goes_on)
        return 0;
    if (flushed == 0)
        return EPOLLOUT;
    return options.work == WORK_DOWNLOAD && tlsmem_is_established(t->c) ? download(t) : EPOLLIN;
}

int main(int argc, char **argv)
{
    return serve_in_loop(argc, argv, 0, ready);
}
