/*
 * fetch.c - a plugin that connects, sends a text over TLS and prints what comes back: the buffers face, so that every byte is
 * received and sent by the plugin itself, in the loop of its host.
 *
 * It is not linked with libtlsmem: `tls` has the functions of tlsmem.h, each without tlsmem_ before its name.
 */
#define _GNU_SOURCE
#include "plugin.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <tlsmem_dynamic.h>
#include <unistd.h>

static tlsmem_api tls;
static const struct plugin_host *host;

/* There is one client in a loaded plugin. */
static struct {
    struct plugin_watch watch;
    struct addrinfo *all, *to; /* the server's addresses, and the one that is tried */
    tlsmem_ctx *ctx;
    tlsmem *c;
    int connected, code;
    int parting; /* it has ended: what still comes is dropped */
} client;

/* Begins to connect to the address that is tried, or to one behind it. Returns 0, with errno, when none is left. */
static int dial(void)
{
    for (; client.to != NULL; client.to = client.to->ai_next) {
        int fd = socket(client.to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && (connect(fd, client.to->ai_addr, client.to->ai_addrlen) == 0 || errno == EINPROGRESS)) {
            client.watch.fd = fd;
            client.watch.events = POLLOUT;
            return 1;
        }
        if (fd >= 0)
            close(fd);
    }
    return 0;
}

/* The plugin is done; its host will call teardown. */
static void end(int code)
{
    client.watch.events = 0;
    client.watch.at_ms = -1;
    host->end(code);
}

static void cannot_connect(const char *why)
{
    host->say("fetch: cannot connect to %s port %s: %s", host->option("host"), host->option("port"), why);
}

/* The socket is connected, or the next address is tried. Returns 0 when there is none. */
static int connecting_ended(void)
{
    int error = 0;
    socklen_t n = sizeof error;
    getsockopt(client.watch.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    client.connected = error == 0;
    if (client.connected)
        return 1;
    close(client.watch.fd);
    client.watch.fd = -1;
    client.to = client.to->ai_next;
    return dial() || (cannot_connect(strerror(error)), 0);
}

static void receive(void)
{
    static char bytes[16384];
    ssize_t n = recv(client.watch.fd, bytes, sizeof bytes, 0);
    if (n == 0)
        tls.feed_eof(client.c);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        tls.feed_error(client.c, errno);
    ptrdiff_t taken = n > 0 ? tls.feed(client.c, bytes, (size_t)n) : 0;
    (void)taken; /* all of it, for all is printed at once; or it has ended */
    while ((n = tls.read(client.c, bytes, sizeof bytes)) > 0)
        fwrite(bytes, 1, (size_t)n, stdout);
    if (n == 0)
        tls.close(client.c); /* the server has closed, and all is printed */
}

static void send_all(void)
{
    const void *bytes;
    size_t n;
    while (tls.outgoing_peek(client.c, &bytes, &n) == TLSMEM_OK) {
        ssize_t sent = send(client.watch.fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0)
            tls.feed_error(client.c, errno); /* what waits is dropped */
        else
            tls.outgoing_consume(client.c, (size_t)sent);
    }
}

/* TLS has ended. FIN, and the server is heard out for a second: a socket that is closed with bytes unread sends a reset, which
 * destroys an alert. */
static void part(void)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tls.error(client.c, &error);
    if (error.status != TLSMEM_OK) {
        int of_network = error.status == TLSMEM_ESYSTEM || error.status == TLSMEM_ERESET || error.status == TLSMEM_ETIMEOUT;
        client.code = of_network ? PLUGIN_NETWORK : PLUGIN_TLS;
        host->say("fetch: %s", error.sentence);
    }
    client.parting = 1;
    client.watch.events = POLLIN;
    client.watch.at_ms = tls.now() + 1000;
    shutdown(client.watch.fd, SHUT_WR);
}

static void ready(struct plugin_watch *watch, int events)
{
    char dropped[4096];
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    if (client.parting) {
        ssize_t n = events != 0 ? recv(watch->fd, dropped, sizeof dropped, 0) : 0;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            end(client.code);
        return;
    }
    if (!client.connected && events != 0 && !connecting_ended()) {
        end(PLUGIN_NETWORK);
        return;
    }
    if (client.connected && events & ~POLLOUT)
        receive();
    tls.tick(client.c, tls.now()); /* its deadline is that of the connect, too */
    if (client.connected)
        send_all(); /* after every call: an alert, too */
    tls.want(client.c, &want);
    if (want.state == TLSMEM_STATE_CLOSED)
        part();
    else if (client.connected) {
        watch->events = (want.needs_ciphertext ? POLLIN : 0) | (want.has_ciphertext ? POLLOUT : 0);
        watch->at_ms = want.deadline_ms;
    }
}

static void teardown(void *self)
{
    (void)self;
    fflush(stdout);
    host->remove(&client.watch);
    if (client.watch.fd >= 0)
        close(client.watch.fd);
    if (client.all != NULL)
        freeaddrinfo(client.all);
    tls.free(client.c);
    tls.ctx_free(client.ctx);
    tlsmem_unload(&tls);
}

/* Returns 0 when it has begun; else what it ends with, after saying why. */
static int begin(const char *name, const char *text)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    client.ctx = tls.ctx_new(TLSMEM_CLIENT);
    if (host->option("ca") == NULL ? tls.ctx_set_ca_system(client.ctx) : tls.ctx_set_ca_file(client.ctx, host->option("ca")))
        return tls.ctx_error(client.ctx, &error), host->say("fetch: %s", error.sentence), PLUGIN_TLS;
    client.c = tls.new_(client.ctx, NULL, NULL);
    if (tls.set_server_name(client.c, name) != TLSMEM_OK
        || tls.write(client.c, text, strlen(text)) != (ptrdiff_t)strlen(text)) /* waits by itself */
        return host->say("fetch: %s is no name of a server, or the text is too long", name), PLUGIN_TLS;
    tls.close_write(client.c); /* after the text; the answer still comes */
    tls.handshake(client.c);
    int unknown = getaddrinfo(name, host->option("port"), &hints, &client.all);
    client.to = client.all;
    client.watch = (struct plugin_watch) { -1, 0, tls.deadline(client.c), ready };
    if (unknown != 0 || !dial() || host->add(&client.watch) != 0)
        return cannot_connect(unknown != 0 ? gai_strerror(unknown) : strerror(errno)), PLUGIN_NETWORK;
    return 0;
}

static void *init(const struct plugin_host *of)
{
    host = of;
    client.watch.fd = -1;
    if (tlsmem_load(host->option("library"), &tls) != TLSMEM_OK)
        return host->say("fetch: %s", tls.sentence), host->end(PLUGIN_TLS), NULL;
    int code = begin(host->option("host"), host->option("text"));
    return code == 0 ? &client : (teardown(NULL), host->end(code), NULL);
}

__attribute__((visibility("default"))) extern const struct plugin plugin;
const struct plugin plugin = { PLUGIN_ABI, init, teardown };
