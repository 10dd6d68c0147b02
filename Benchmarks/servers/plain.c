/* plain.c - no TLS at all: what the sockets and the loop cost. */
#include "common.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct plain {
    struct conn conn;
    struct rest rest;
    unsigned matched;
};

static uint32_t open_plain(struct conn *conn)
{
    (void)conn;
    return options.work == WORK_DOWNLOAD ? EPOLLOUT : EPOLLIN;
}

static uint32_t download(struct plain *p)
{
    for (size_t sent = 0; sent < WRITE_BYTES_A_TURN; sent += options.size) {
        if (send_or_keep(p->conn.fd, &p->rest, block, options.size) != 0)
            return 0;
        if (p->rest.n > 0)
            break;
    }
    return EPOLLOUT;
}

static uint32_t ready(struct conn *conn, uint32_t events)
{
    static __thread char bytes[65536];
    struct plain *p = (struct plain *)conn;
    (void)events;
    if (send_rest(conn->fd, &p->rest) != 0)
        return 0;
    if (p->rest.n > 0)
        return EPOLLOUT;
    if (options.work == WORK_DOWNLOAD)
        return download(p);
    ssize_t n = recv(conn->fd, bytes, sizeof bytes, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? EPOLLIN : 0;
    struct answer answer = answer_to(&p->matched, bytes, (size_t)n);
    if (send_or_keep(conn->fd, &p->rest, answer.bytes, answer.n) != 0)
        return 0;
    return p->rest.n > 0 ? EPOLLOUT : EPOLLIN;
}

static void end(struct conn *conn)
{
    free(((struct plain *)conn)->rest.bytes);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    static const struct face face = { sizeof(struct plain), open_plain, ready, end };
    return serve(&face);
}
