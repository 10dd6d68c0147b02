/*
 * The fd and the buffers face of the target, both around poll. In the buffers face every byte is moved here, and so is
 * what TCP wants at the end: the alert goes out, then FIN, and the peer is heard until it closes too.
 */
#define _GNU_SOURCE
#include "target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COMMANDS = 0, LISTENER = 1, FIRST = 2, PLACES = 8192, RECEIVED = 65536 };
static face used;
static struct pollfd polled[PLACES];
static session *placed[PLACES];

static void begin(session *s)
{
    if (s->c == NULL || (used == FACE_FD && tlsmem_set_fd(s->c, s->fd) != TLSMEM_OK))
        exit(2);
    target_socket(s->fd);
    tlsmem_handshake(s->c);
}

static void accept_all(int listener)
{
    struct sockaddr_in peer;
    socklen_t n = sizeof peer;
    char name[16];
    for (int fd; (fd = accept4(listener, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        snprintf(name, sizeof name, "%d", ntohs(peer.sin_port));
        session *s = session_new(name, fd);
        s->c = tlsmem_new(target_ctx, &target_callbacks, s);
        begin(s);
    }
}

void polled_connect(int port, const char *name)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        exit(2);
    session *s = session_new(name, fd);
    s->c = tlsmem_new(target_ctx, &target_callbacks, s);
    if (s->c == NULL || tlsmem_set_server_name(s->c, "localhost") != TLSMEM_OK)
        exit(2);
    target_greets(s->c);
    begin(s);
}

/* ---- the buffers face */

static void send_all(session *s)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(s->c, &bytes, &n) == TLSMEM_OK) {
        ssize_t sent = send(s->fd, bytes, n, MSG_NOSIGNAL);
        if (sent > 0) {
            tlsmem_outgoing_consume(s->c, (size_t)sent);
            continue;
        }
        if (errno != EAGAIN && errno != ENOTCONN) { /* still connecting: it is writable later */
            tlsmem_feed_error(s->c, errno);
            s->linger = s->ended ? 1 : s->linger;
        }
        return;
    }
    if (s->ended && !s->shut)
        s->shut = shutdown(s->fd, SHUT_WR) == 0 || (s->linger = 1);
}

static void receive(session *s)
{
    static char came[RECEIVED];
    ssize_t n = recv(s->fd, came, sizeof came, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (s->ended)
        s->linger = n > 0 ? s->linger : 1; /* dropped; at its end it is done with */
    else if (n < 0)
        tlsmem_feed_error(s->c, errno);
    else if (n == 0)
        tlsmem_feed_eof(s->c);
    else
        for (ssize_t at = 0, taken; at < n && !s->ended; at += taken)
            if ((taken = tlsmem_feed(s->c, came + at, (size_t)(n - at))) <= 0)
                break; /* an echo never leaves plaintext unread, unless it is paused: then nothing is received */
}

static short wanted(const session *s)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    if (used == FACE_FD)
        return (short)(s->ended ? 0 : tlsmem_interest(s->c));
    tlsmem_want(s->c, &want);
    return (short)((s->ended || (want.needs_ciphertext && !want.has_plaintext) ? POLLIN : 0)
                   | (want.has_ciphertext ? POLLOUT : 0));
}

/* ---- both */

static void drive(session *s, short ready)
{
    if (used == FACE_BUFFERS) {
        if (ready & ~POLLOUT)
            receive(s);
        if (!s->ended)
            tlsmem_tick(s->c, tlsmem_now());
        send_all(s);
    } else {
        if (ready & ~POLLOUT)
            tlsmem_on_readable(s->c);
        if (ready & ~POLLIN && !s->ended)
            tlsmem_on_writable(s->c);
        if (!s->ended)
            tlsmem_tick(s->c, tlsmem_now());
    }
    session_measure(s);
    if (s->ended && (used == FACE_FD || tlsmem_now() >= s->linger))
        session_free(s);
}

static int listen_somewhere(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, SOMAXCONN) < 0 || getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        exit(2);
    target_listens(ntohs(at.sin_port));
    return fd;
}

void polled_serve(int listens, face which)
{
    used = which;
    int listener = listens ? listen_somewhere() : -1;
    if (!listens)
        target_listens(0);
    for (;;) {
        int64_t now = tlsmem_now(), next = -1;
        size_t count = FIRST;
        polled[COMMANDS] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
        polled[LISTENER] = (struct pollfd){ listener, POLLIN, 0 };
        for (session *s = sessions; s != NULL && count < PLACES; s = s->next) {
            int64_t deadline = s->ended ? s->linger : tlsmem_deadline(s->c);
            next = deadline >= 0 && (next < 0 || deadline < next) ? deadline : next;
            placed[count] = s;
            polled[count] = (struct pollfd){ s->fd, wanted(s), 0 };
            polled[count].fd = polled[count].events != 0 ? s->fd : -1; /* else poll tells of a hang-up again and again */
            count++;
        }
        if (poll(polled, count, next < 0 ? -1 : next > now ? (int)(next - now) : 0) < 0)
            exit(2);
        now = tlsmem_now();
        for (size_t i = FIRST; i < count; i++) {
            int64_t deadline = placed[i]->ended ? placed[i]->linger : tlsmem_deadline(placed[i]->c);
            if (polled[i].revents != 0 || (deadline >= 0 && deadline <= now))
                drive(placed[i], polled[i].revents);
        }
        if (polled[LISTENER].revents != 0)
            accept_all(listener);
        if (polled[COMMANDS].revents != 0)
            target_command();
    }
}
