/* loop.c - the epoll loop of those servers that bring none, the same for all of them; see common.h. */
#define _GNU_SOURCE
#include "common.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int listening(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port) };
    socklen_t n = sizeof at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, options.host, &at.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, n) != 0 || listen(fd, SOMAXCONN) != 0)
        fail("cannot listen");
    getsockname(fd, (struct sockaddr *)&at, &n);
    options.port = ntohs(at.sin_port);
    return fd;
}

int accepted(int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void settle(const struct face *face, int epoll, struct conn *c, uint32_t wanted)
{
    if (wanted == 0) {
        face->end(c);
        close(c->fd);
        free(c);
    } else if (wanted != c->watched) {
        struct epoll_event event = { .events = wanted, .data.ptr = c };
        epoll_ctl(epoll, c->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &event);
        c->watched = wanted;
    }
}

struct loop {
    const struct face *face;
    int listener;
};

static void *turn(void *argument)
{
    const struct loop *loop = argument;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[256], event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL };
    epoll_ctl(epoll, EPOLL_CTL_ADD, loop->listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            struct conn *c = ready[i].data.ptr;
            if (c != NULL) {
                settle(loop->face, epoll, c, loop->face->ready(c, ready[i].events));
                continue;
            }
            for (int fd; (fd = accepted(loop->listener)) >= 0;) {
                c = calloc(1, loop->face->conn_size);
                c->fd = fd;
                settle(loop->face, epoll, c, loop->face->open(c));
            }
        }
    }
    return NULL;
}

int serve(const struct face *face)
{
    struct loop loop = { face, listening() };
    pthread_t thread;
    for (int i = 1; i < options.loops; i++)
        pthread_create(&thread, NULL, turn, &loop);
    say_listening(options.port);
    turn(&loop);
    return 0;
}

void keep(struct rest *rest, const char *bytes, size_t n)
{
    rest->bytes = realloc(rest->bytes, n);
    if (rest->bytes == NULL)
        fail("no memory");
    memcpy(rest->bytes, bytes, n);
    rest->at = 0;
    rest->n = n;
}

int send_or_keep(int fd, struct rest *rest, const char *bytes, size_t n)
{
    ssize_t sent = n > 0 ? send(fd, bytes, n, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN)
        return -1;
    if (sent < 0)
        sent = 0;
    if ((size_t)sent < n)
        keep(rest, bytes + sent, n - (size_t)sent);
    return 0;
}

int send_rest(int fd, struct rest *rest)
{
    while (rest->n > 0) {
        ssize_t sent = send(fd, rest->bytes + rest->at, rest->n, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN ? 0 : -1;
        rest->at += (size_t)sent;
        rest->n -= (size_t)sent;
    }
    free(rest->bytes);
    *rest = (struct rest) { 0 };
    return 0;
}
