/* common.c - messages and sockets of the example programs, and what a connection says of itself; see common.h. */
#include "common.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>

void say(const char *format, ...)
{
    char line[1024]; /* printed in one piece, because threads may speak at once */
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, line);
}

void say_failure(const tlsmem *c)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (tlsmem_error(c, &error) == TLSMEM_OK && error.status != TLSMEM_OK)
        say("%s", error.sentence);
}

void say_state(const tlsmem *c, long number, int *shown)
{
    static const char *const names[] = { "new", "handshaking", "open", "closing", "closed", "connecting" };
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(c, &want);
    const char *protocol = tlsmem_protocol_name(c), *cipher = tlsmem_cipher_name(c), *gap = *cipher != '\0' ? " " : "";
    if ((int)want.state != *shown)
        say("connection %ld: %s%s%s%s%s", number, names[want.state], gap, protocol, gap, cipher);
    *shown = (int)want.state;
}

int exit_code(int status)
{
    if (status == TLSMEM_OK || status == TLSMEM_CLOSED)
        return EXIT_DONE;
    return status == TLSMEM_ESYSTEM || status == TLSMEM_ERESET || status == TLSMEM_ETIMEOUT || status == TLSMEM_ERESOLVE
                   || status == TLSMEM_ECONNECT ? EXIT_NETWORK : EXIT_TLS;
}

void print_stats(FILE *to, const tlsmem *c, const tlsmem_report_info *report)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    const char *protocol = tlsmem_protocol_name(c), *cipher = tlsmem_cipher_name(c), *alpn = "-";
    size_t alpn_length = 1;
    tlsmem_stats(c, &stats);
    tlsmem_alpn(c, &alpn, &alpn_length);
    fprintf(to, "protocol=%s cipher=%s alpn=%.*s in=%llu out=%llu recv=%llu send=%llu close=%s\n",
            *protocol != '\0' ? protocol : "-", *cipher != '\0' ? cipher : "-", (int)alpn_length, alpn,
            (unsigned long long)stats.plaintext_in, (unsigned long long)stats.plaintext_out,
            (unsigned long long)stats.recv_calls, (unsigned long long)stats.send_calls,
            tlsmem_status_name(report->status));
    fflush(to);
}

void say_listening(const char *host, int port)
{
    printf(strchr(host, ':') != NULL ? "listening on [%s]:%d\n" : "listening on %s:%d\n", host, port);
    if (fflush(stdout) != 0)
        exit(EXIT_NETWORK); /* nobody would know the port */
}

static struct addrinfo *look_up(const char *host, long port)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *found;
    char text[24];
    snprintf(text, sizeof text, "%ld", port);
    int unknown = getaddrinfo(host, text, &hints, &found);
    if (unknown) {
        say("%s: %s", host, gai_strerror(unknown));
        exit(EXIT_NETWORK);
    }
    return found;
}

int listen_on(struct options *o)
{
    struct addrinfo *to = look_up(o->host, o->port);
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char text[12];
    int on = 1, fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || bind(fd, to->ai_addr, to->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0
        || getsockname(fd, (struct sockaddr *)&bound, &n) != 0
        || getnameinfo((struct sockaddr *)&bound, n, NULL, 0, text, sizeof text, NI_NUMERICSERV) != 0)
        exit(cannot_listen(o, TLSMEM_ESYSTEM));
    freeaddrinfo(to);
    o->port = strtol(text, NULL, 10);
    return fd;
}

int cannot_listen(const struct options *o, int status)
{
    say("cannot listen on %s port %ld: %s", o->host, o->port,
        status == TLSMEM_ESYSTEM ? strerror(errno) : tlsmem_strerror(status));
    return exit_code(status);
}

tlsmem_listener *listen_in(tlsmem_loop **loops, long n, tlsmem_ctx *ctx, struct options *o, acceptor *fn, void *of)
{
    tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    int status = TLSMEM_OK;
    how.host = o->inherited ? NULL : o->host;
    how.reuse_port = n > 1 && !o->inherited;
    how.fd = o->inherited ? tlsmem_inherited_fd(0) : -1;
    how.on_accept = fn;
    how.user = of;
    if (o->inherited && how.fd < 0)
        usage_error("--inherited: nobody has passed a socket");
    for (long i = 0; i < n && status == TLSMEM_OK; i++) {
        how.port = o->inherited ? 0 : (int)o->port;
        if (i == 0 || !o->inherited)
            status = tlsmem_loop_listen(loops[i], ctx, &how, &listener);
        if (status == TLSMEM_OK && o->inherited)
            status = tlsmem_listener_add_loop(listener, loops[i]);
        if (status == TLSMEM_OK)
            o->port = tlsmem_listener_port(listener); /* the first may have found a free one; the others join it */
    }
    if (status != TLSMEM_OK)
        exit(cannot_listen(o, status));
    return listener;
}

void watch(tlsmem_loop *loop, int fd, int events, watcher *fn, void *user)
{
    if (tlsmem_loop_watch(loop, fd, events, fn, user) != TLSMEM_OK) {
        say("cannot watch descriptor %d: %s", fd, strerror(errno));
        exit(EXIT_NETWORK);
    }
}

int signal_descriptor(const int *signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *signals != 0; signals++)
        sigaddset(&set, *signals);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        say("signalfd: %s", strerror(errno));
        exit(EXIT_NETWORK);
    }
    return fd;
}

int stop_descriptor(void)
{
    return signal_descriptor((const int[]){ SIGINT, SIGTERM, 0 });
}

int ran_out(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}
