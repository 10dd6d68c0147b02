/*
 * tls_proxy_upstream.c - the upstream: where it is, and how a session gets there, in plain or by TLS.
 */
#include "tls_proxy.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ATTEMPTS_TO_CONNECT = 3, TRIES_MAX = 9, TRY_AGAIN_MS = 10 };

void parse_place(const char *option, const char *text, struct place *place)
{
    if (strncmp(text, "unix:", 5) == 0 && text[5] != '\0') {
        place->path = text + 5;
        return;
    }
    char *copy = strdup(text), *colon = copy != NULL ? strrchr(copy, ':') : NULL, *end;
    if (colon == NULL || colon == copy)
        usage_error("--%s: %s is no HOST:PORT", option, text);
    place->port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || place->port < 0 || place->port > 65535)
        usage_error("--%s: %s has no port", option, text);
    *colon = '\0';
    place->host = copy;
    if (copy[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        place->host = copy + 1;
    }
}

void look_up_place(struct place *place)
{
    static struct sockaddr_un path = { .sun_family = AF_UNIX };
    static struct addrinfo local = { .ai_family = AF_UNIX, .ai_addr = (struct sockaddr *)&path, .ai_addrlen = sizeof path };
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    char port[24];
    if (place->path != NULL) {
        if (strlen(place->path) >= sizeof path.sun_path)
            usage_error("--upstream: the path is too long");
        strcpy(path.sun_path, place->path);
        place->addresses = &local;
        return;
    }
    snprintf(port, sizeof port, "%ld", place->port);
    int unknown = getaddrinfo(place->host, port, &hints, &place->addresses);
    if (unknown) {
        say("%s: %s", place->host, gai_strerror(unknown));
        exit(EXIT_NETWORK);
    }
}

void set_up(int fd)
{
    int on = 1, attempts = ATTEMPTS_TO_CONNECT;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* who has gone without a word is found out some day */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a Unix socket has no such thing, */
    setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &attempts, sizeof attempts); /* nor this */
}

void close_plain(struct session *s)
{
    if (s->fd < 0)
        return;
    watch(s->worker->loop, s->fd, 0, NULL, NULL); /* before its number can be another's */
    close(s->fd);
    s->fd = -1;
    s->watched = 0;
}

static void connect_next(struct session *s, int error);

static void try_again(tlsmem_timer *timer, void *user)
{
    struct session *s = user;
    tlsmem_timer_free(timer);
    s->timer = NULL;
    s->queueing = 0;
    if (s->worker->proxy->role == TLSMEM_CLIENT) {
        begin_tls(s);
        return;
    }
    close_plain(s);
    s->next = s->worker->proxy->upstream.addresses;
    connect_next(s, 0);
    settle(s);
}

/* Nothing tells when the queue has room again. The times between the tries double, to five seconds in all. */
int try_later(struct session *s, int error)
{
    if (error == EAGAIN && s->tries < TRIES_MAX)
        s->timer = tlsmem_loop_timer(s->worker->loop, TRY_AGAIN_MS << s->tries++, try_again, s);
    s->queueing = error == EAGAIN && s->timer != NULL;
    return s->queueing;
}

/* Begins with the next address that can be begun with. */
static void connect_next(struct session *s, int error)
{
    s->connecting = 0;
    while (s->fd < 0 && s->next != NULL) {
        const struct addrinfo *to = s->next;
        s->next = to->ai_next;
        s->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (s->fd >= 0)
            set_up(s->fd);
        int begun = s->fd >= 0 && connect(s->fd, to->ai_addr, to->ai_addrlen) == 0;
        error = begun ? 0 : errno;
        s->connecting = error == EINPROGRESS || try_later(s, error);
        if (!begun && !s->connecting)
            close_plain(s);
    }
    s->plain_failed = s->fd < 0;
    if (s->plain_failed)
        complain(s, "cannot connect to the upstream", error);
}

void connect_plain(struct session *s)
{
    s->next = s->worker->proxy->upstream.addresses;
    s->out = s->header; /* nothing has come before it */
    s->header = (struct bytes) { NULL, 0, 0 };
    connect_next(s, 0);
}

int plain_connected(struct session *s)
{
    int error = 0;
    socklen_t n = sizeof error;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n);
    s->connecting = 0;
    if (error == 0)
        return 1;
    close_plain(s);
    connect_next(s, error);
    return s->fd >= 0 && !s->connecting;
}

/* In client mode, connected and before the handshake: a PROXY header is not encrypted. */
static void on_attempt(tlsmem *c, const struct sockaddr *to, socklen_t to_n, int sys_errno, void *user)
{
    struct session *s = user;
    (void)to, (void)to_n;
    if (sys_errno != 0 || s->header.n == 0)
        return;
    if (send(tlsmem_fd(c), s->header.at, s->header.n, MSG_NOSIGNAL) != (ssize_t)s->header.n)
        tlsmem_abort(c);
    drop(&s->header, s->header.n);
}

int connect_tls(struct session *s)
{
    const struct proxy *p = s->worker->proxy;
    tlsmem_connect_options how = TLSMEM_CONNECT_OPTIONS_INIT;
    how.host = p->upstream.host;
    how.port = (int)p->upstream.port;
    how.path = p->upstream.path;
    how.on_attempt = on_attempt;
    if (p->server_name != NULL && tlsmem_set_server_name(s->c, p->server_name) != TLSMEM_OK)
        return TLSMEM_ENAME;
    return tlsmem_loop_connect(s->worker->loop, s->c, &how);
}
