#define _GNU_SOURCE
#include "attempt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

tlsmem_ctx *client_ctx, *server_ctx;
int served;

/* ---- places */

place place_of(const char *text, int port)
{
    place p;
    memset(&p, 0, sizeof p);
    if (inet_pton(AF_INET, text, &p.four.sin_addr) == 1) {
        p.four.sin_family = AF_INET;
        p.four.sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, text, &p.six.sin6_addr) == 1) {
        p.six.sin6_family = AF_INET6;
        p.six.sin6_port = htons((uint16_t)port);
    } else {
        p.local.sun_family = AF_UNIX;
        snprintf(p.local.sun_path, sizeof p.local.sun_path, "%s", text);
        if (text[0] == '@')
            p.local.sun_path[0] = 0;
    }
    return p;
}

socklen_t place_length(const place *p, const char *text)
{
    switch (p->any.sa_family) {
    case AF_INET: return sizeof p->four;
    case AF_INET6: return sizeof p->six;
    default: return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text) + (text[0] == '@' ? 0 : 1));
    }
}

/** A socket that is bound there, or -1. */
static int bound(const char *text, int port)
{
    place p = place_of(text, port);
    int on = 1, fd = socket(p.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
                    || bind(fd, &p.any, place_length(&p, text)) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int port_of(int fd)
{
    place p;
    socklen_t n = sizeof p;
    MUST(getsockname(fd, &p.any, &n) == 0);
    if (p.any.sa_family == AF_INET)
        return ntohs(p.four.sin_port);
    return p.any.sa_family == AF_INET6 ? ntohs(p.six.sin6_port) : 0;
}

static void echo(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    CHECK(tlsmem_write(c, bytes, n) == (ptrdiff_t)n, "an echo was not taken");
}

static void echo_ended(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

static void on_client(tlsmem_loop *loop, int fd, int events, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, echo, NULL, NULL, echo_ended };
    (void)events, (void)user;
    for (int client; (client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; served++) {
        tlsmem *c = connection(server_ctx, &callbacks, NULL);
        MUST(tlsmem_own_fd(c, 1) == TLSMEM_OK && tlsmem_loop_add(loop, c, client) == TLSMEM_OK);
    }
}

int serve(tlsmem_loop *loop, const char *text, int *port)
{
    int fd = bound(text, *port);
    MUST(fd >= 0 && listen(fd, SOMAXCONN) == 0);
    *port = port_of(fd);
    MUST(tlsmem_loop_watch(loop, fd, POLLIN, on_client, NULL) == TLSMEM_OK);
    return fd;
}

void serve_no_more(tlsmem_loop *loop, int fd)
{
    MUST(tlsmem_loop_watch(loop, fd, 0, NULL, NULL) == TLSMEM_OK);
    close(fd);
}

silent keep_silent(const char *text, int port)
{
    silent s = { { bound(text, port), -1, -1 } };
    place p = place_of(text, port);
    MUST(s.fds[0] >= 0 && listen(s.fds[0], 0) == 0);
    for (int i = 1; i < 3; i++) { /* one fits into the queue; the other's SYN, like all that come, is dropped */
        s.fds[i] = socket(p.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        MUST(s.fds[i] >= 0 && connect(s.fds[i], &p.any, place_length(&p, text)) != 0 && errno == EINPROGRESS);
    }
    return s;
}

void speak_again(silent *s)
{
    for (int i = 0; i < 3; i++)
        close(s->fds[i]);
}

int refuse(int *port)
{
    int fd = bound("127.0.0.1", 0);
    MUST(fd >= 0);
    *port = port_of(fd);
    return fd;
}

/* ---- the connect */

static void on_attempt(tlsmem *c, const struct sockaddr *to, socklen_t n, int sys_errno, void *user)
{
    attempt *a = user;
    char host[64] = "unix", port[16] = "";
    CHECK(!a->is_returning && !a->e.freed && a->e.closes == 0 && c == a->e.c, "on_attempt at a wrong moment");
    if (to->sa_family != AF_UNIX)
        CHECK(getnameinfo(to, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0,
              "no address in on_attempt");
    CHECK(sys_errno != 0 || tlsmem_fd(c) >= 0, "connected, and no fd");
    CHECK(sys_errno == 0 || tlsmem_fd(c) == -1, "an attempt failed, and there is an fd");
    a->attempts++;
    a->failures += sys_errno != 0;
    a->last_errno = sys_errno;
    snprintf(a->last, sizeof a->last, "%s", host);
    size_t used = strlen(a->all);
    snprintf(a->all + used, sizeof a->all - used, "%s%s", used > 0 ? " " : "", host);
    if (a->in_attempt != NULL)
        a->in_attempt(a, sys_errno);
}

static void open_any(attempt *a)
{
    static const tlsmem_connect_options init = TLSMEM_CONNECT_OPTIONS_INIT;
    memset(a, 0, sizeof *a);
    a->options = init;
    a->options.on_attempt = on_attempt;
    end_adopt(&a->e, tlsmem_new(client_ctx, &end_callbacks, a), 0);
    MUST(a->e.c != NULL);
}

void attempt_open(attempt *a, const char *host, int port)
{
    open_any(a);
    a->options.host = host;
    a->options.port = port;
}

void attempt_open_path(attempt *a, const char *path)
{
    open_any(a);
    a->options.path = path;
    MUST(tlsmem_set_server_name(a->e.c, "localhost") == TLSMEM_OK);
}

void attempt_begin(attempt *a, tlsmem_loop *loop)
{
    a->is_returning = 1;
    int status = tlsmem_loop_connect(loop, a->e.c, &a->options);
    a->is_returning = 0;
    CHECK_STATUS(status, TLSMEM_OK);
    tlsmem_want_info want = want_of(a->e.c);
    CHECK(want.state == TLSMEM_STATE_CONNECTING, "its state is %d", want.state);
    CHECK(!want.needs_ciphertext && !want.has_ciphertext && want.accepts_plaintext, "it wants what it cannot have");
    CHECK(tlsmem_fd(a->e.c) == -1 && tlsmem_interest(a->e.c) == 0, "it has an fd");
}

int turn(tlsmem_loop *loop)
{
    int64_t until = tlsmem_now() + 20000;
    int handled = 0; /* also when it was woken for what it had just done */
    while (handled == 0 && tlsmem_now() < until)
        handled = tlsmem_loop_run_once(loop, 20000);
    return handled;
}

int turn_until(tlsmem_loop *loop, int (*over)(const attempt *a), const attempt *a)
{
    while (!over(a))
        if (turn(loop) <= 0 && !over(a))
            return 0;
    return 1;
}

int established(const attempt *a)
{
    return a->e.established > 0 || a->e.closes > 0 || a->e.freed;
}

int ended(const attempt *a)
{
    return a->e.closes > 0 || a->e.freed;
}

/** The echo is our own pattern, and an end expects its peer's. */
static void take_echo(tlsmem *c, const void *bytes, size_t n, void *user)
{
    attempt *a = user;
    if (pattern_differs(bytes, a->e.stream, a->e.received, n) != n)
        a->e.wrong++;
    a->e.received += n;
    if (a->e.received == a->e.sent)
        tlsmem_close(c);
}

void attempt_converses(attempt *a, tlsmem_loop *loop)
{
    static unsigned char bytes[3000];
    tlsmem_callbacks callbacks = end_callbacks;
    callbacks.on_data = take_echo;
    CHECK_STATUS(tlsmem_set_callbacks(a->e.c, &callbacks, a), TLSMEM_OK);
    pattern_fill(bytes, a->e.stream, a->e.sent, sizeof bytes);
    CHECK_STATUS(tlsmem_write(a->e.c, bytes, sizeof bytes), sizeof bytes);
    a->e.sent += sizeof bytes;
    CHECK(turn_until(loop, ended, a), "nothing happens any more");
    CHECK(a->e.closes == 1 && a->e.wrong == 0 && a->e.received == a->e.sent,
          "on_close %d times, %d wrong, %d bytes back", a->e.closes, a->e.wrong, (int)a->e.received);
    CHECK_STATUS(a->e.report.status, TLSMEM_OK);
}

void attempt_failed(attempt *a, int status, int sys_errno, const char *word, const char *other)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK(a->e.closes == 1 && a->e.wrong == 0 && a->e.established == 0, "on_close %d times, %d wrong", a->e.closes,
          a->e.wrong);
    CHECK_STATUS(a->e.report.status, status);
    CHECK_STATUS(tlsmem_error(a->e.c, &error), TLSMEM_OK);
    CHECK(error.status == status && error.sys_errno == sys_errno, "%s, errno %d", tlsmem_status_name(error.status),
          error.sys_errno);
    CHECK(strstr(error.sentence, word) != NULL && strstr(error.sentence, other) != NULL, "it says: %s", error.sentence);
    CHECK(state_of(a->e.c) == TLSMEM_STATE_CLOSED && tlsmem_deadline(a->e.c) == -1, "it is not over");
}

void attempt_finish(attempt *a)
{
    CHECK(a->e.wrong == 0, "%d wrong callbacks", a->e.wrong);
    end_free_connection(&a->e);
}
