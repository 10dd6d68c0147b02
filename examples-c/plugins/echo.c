/*
 * echo.c - a plugin that sends every byte back over TLS: the fd face, in the loop of its host.
 *
 * It is not linked with libtlsmem: `tls` has the functions of tlsmem.h, each without tlsmem_ before its name.
 */
#define _GNU_SOURCE
#include "plugin.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <tlsmem_dynamic.h>
#include <unistd.h>

static tlsmem_api tls;
static const struct plugin_host *host;

struct client {
    struct plugin_watch watch; /* first, so that one is the other */
    tlsmem *c;
    struct client *next;
};

/* There is one server in a loaded plugin. */
static struct {
    struct plugin_watch listener;
    tlsmem_ctx *ctx;
    struct client *clients;
    long left; /* to be served; negative for ever */
} server;

static void release(struct client *client)
{
    struct client **at = &server.clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    host->remove(&client->watch);
    tls.free(client->c);
    close(client->watch.fd);
    free(client);
}

static void say_why(const tlsmem *c)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (host->option("verbose") != NULL && tls.error(c, &error) == TLSMEM_OK && error.status != TLSMEM_OK)
        host->say("echo: %s", error.sentence);
}

/* Sends back what came, as far as it is accepted; the rest waits in the connection. Returns 0 when it has ended. */
static int echo(tlsmem *c)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    const void *bytes;
    size_t n;
    while (tls.read_peek(c, &bytes, &n) == TLSMEM_OK) {
        ptrdiff_t taken = tls.write(c, bytes, n);
        if (taken == TLSMEM_AGAIN)
            break;
        tls.read_consume(c, taken > 0 ? (size_t)taken : n); /* all, of a client that takes no answers any more */
    }
    tls.want(c, &want);
    if (want.peer_closed && !want.has_plaintext)
        tls.close(c); /* after what was written */
    tls.want(c, &want);
    return want.state != TLSMEM_STATE_CLOSED;
}

static void client_ready(struct plugin_watch *watch, int events)
{
    struct client *client = (struct client *)watch;
    if (events & ~POLLOUT) /* errors and hang-ups are found by receiving, or by sending */
        tls.on_readable(client->c);
    if (events & ~POLLIN)
        tls.on_writable(client->c);
    tls.tick(client->c, tls.now());
    if (echo(client->c)) {
        watch->events = tls.interest(client->c);
        watch->at_ms = tls.deadline(client->c);
        return;
    }
    say_why(client->c);
    release(client);
    if (server.left > 0 && --server.left == 0)
        host->end(PLUGIN_DONE);
}

static void welcome(int fd)
{
    struct client *client = calloc(1, sizeof *client);
    tlsmem *c = client != NULL ? tls.new_(server.ctx, NULL, NULL) : NULL;
    if (c == NULL || tls.set_fd(c, fd) != TLSMEM_OK || host->add(&client->watch) != 0) {
        tls.free(c);
        free(client);
        close(fd);
        return;
    }
    tls.handshake(c); /* its deadline holds also for a client that never says a word */
    client->watch = (struct plugin_watch) { fd, tls.interest(c), tls.deadline(c), client_ready };
    client->c = c;
    client->next = server.clients;
    server.clients = client;
}

static void listener_ready(struct plugin_watch *watch, int events)
{
    int fd;
    (void)events;
    while ((fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        welcome(fd);
    /* Without descriptors, it would be ready for ever: not before a second is over. */
    int ran_out = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    watch->events = ran_out ? 0 : POLLIN;
    watch->at_ms = ran_out ? tls.now() + 1000 : -1;
}

/* Returns a descriptor that listens, and says where; or -1, with errno. */
static int listen_at(const char *name, const char *port)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *to;
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char number[NI_MAXSERV];
    int on = 1, unknown = getaddrinfo(name, port, &hints, &to);
    if (unknown != 0)
        return host->say("echo: %s port %s: %s", name, port, gai_strerror(unknown)), -1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failed = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
                 || bind(fd, to->ai_addr, to->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0
                 || getsockname(fd, (struct sockaddr *)&bound, &n) != 0
                 || getnameinfo((struct sockaddr *)&bound, n, NULL, 0, number, sizeof number, NI_NUMERICSERV) != 0;
    freeaddrinfo(to);
    if (failed) {
        host->say("echo: cannot listen on %s port %s: %s", name, port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    host->provide("port", number);
    printf(strchr(name, ':') != NULL ? "listening on [%s]:%s\n" : "listening on %s:%s\n", name, number);
    fflush(stdout);
    return fd;
}

/* Returns NULL when a setting is refused, after saying why. */
static tlsmem_ctx *context(void)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_ctx *ctx = tls.ctx_new(TLSMEM_SERVER);
    if (tls.ctx_set_cert_file(ctx, host->option("cert")) == TLSMEM_OK
        && tls.ctx_set_key_file(ctx, host->option("key")) == TLSMEM_OK)
        return ctx;
    tls.ctx_error(ctx, &error);
    host->say("echo: %s", error.sentence);
    tls.ctx_free(ctx);
    return NULL;
}

static void teardown(void *self)
{
    (void)self;
    while (server.clients != NULL)
        release(server.clients);
    host->remove(&server.listener);
    close(server.listener.fd);
    tls.ctx_free(server.ctx);
    tlsmem_unload(&tls);
}

static void *init(const struct plugin_host *of)
{
    host = of;
    if (host->option("cert") == NULL || host->option("key") == NULL)
        return host->say("echo: needs --cert and --key"), host->end(PLUGIN_USAGE), NULL;
    if (tlsmem_load(host->option("library"), &tls) != TLSMEM_OK)
        return host->say("echo: %s", tls.sentence), host->end(PLUGIN_TLS), NULL;
    server.ctx = context();
    int fd = server.ctx != NULL ? listen_at(host->option("host"), host->option("port")) : -1;
    server.listener = (struct plugin_watch) { fd, POLLIN, -1, listener_ready };
    if (fd < 0 || host->add(&server.listener) != 0) {
        if (fd >= 0)
            close(fd);
        host->end(server.ctx == NULL ? PLUGIN_TLS : PLUGIN_NETWORK);
        tls.ctx_free(server.ctx);
        tlsmem_unload(&tls);
        return NULL;
    }
    server.left = host->option("max") != NULL ? strtol(host->option("max"), NULL, 10) : -1;
    return &server;
}

__attribute__((visibility("default"))) extern const struct plugin plugin;
const struct plugin plugin = { PLUGIN_ABI, init, teardown };
