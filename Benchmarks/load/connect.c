/* connect.c - connections, with and without TLS; see load.h. */
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The traffic secrets, as OpenSSL tells them to those who log keys. */
static uint8_t client_secret[32], server_secret[32];

static void keep_secret(const SSL *ssl, const char *line)
{
    const char *hex = strrchr(line, ' ');
    uint8_t *secret = strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) == 0 ? client_secret
        : strncmp(line, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0             ? server_secret
                                                                         : NULL;
    (void)ssl;
    for (int i = 0; secret != NULL && hex != NULL && i < 32; i++)
        if (sscanf(hex + 1 + 2 * i, "%2hhx", &secret[i]) != 1)
            fail("a key log line of another length");
}

SSL_CTX *client_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_keylog_callback(ctx, keep_secret);
    return ctx;
}

int connected(void)
{
    static unsigned count;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port) }, from = to;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    from.sin_port = 0;
    from.sin_addr.s_addr = htonl(0x7f000002u + (count++ / 20000 + (unsigned)getpid() * 7) % 60000); /* 127.0.0.2 and up */
    inet_pton(AF_INET, options.host, &to.sin_addr);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail("cannot connect to %s:%d: %s", options.host, options.port, strerror(errno));
    return fd;
}

void wire_open(struct wire *w, SSL_CTX *ctx)
{
    *w = (struct wire) { .fd = connected() };
    if (!options.plain) {
        SSL *ssl = SSL_new(ctx);
        SSL_set_fd(ssl, w->fd);
        if (SSL_connect(ssl) != 1)
            fail("the handshake fails");
        records_init(&w->out, client_secret, 1);
        records_init(&w->in, server_secret, 0);
        SSL_free(ssl); /* says nothing to the server, and leaves the socket open */
    }
    fcntl(w->fd, F_SETFL, O_NONBLOCK);
}

/* Much for a few connections that stream, little for thousands that ask. */
static size_t receive_most(void)
{
    return options.connections > 64 ? 2 * RECORD_MOST : 131072;
}

long wire_receive(struct wire *w, void (*take)(void *user, const uint8_t *bytes, size_t n), void *user)
{
    if (w->received == NULL)
        w->received = malloc(receive_most());
    long n = recv(w->fd, w->received + w->end, receive_most() - w->end, 0);
    if (n <= 0)
        return n;
    w->end += (size_t)n;
    if (options.plain) {
        take(user, w->received, w->end);
        w->end = 0;
        return n;
    }
    for (size_t length; w->end - w->at >= 5; w->at += length) {
        uint8_t *record = w->received + w->at;
        length = 5 + ((size_t)record[3] << 8 | record[4]);
        if (length > RECORD_MOST)
            fail("a record of %zu bytes", length);
        if (w->end - w->at < length)
            break;
        long plain = open_record(&w->in, record, length);
        if (plain < 0)
            return 0;
        if (plain > 0)
            take(user, record + 5, (size_t)plain);
    }
    memmove(w->received, w->received + w->at, w->end - w->at);
    w->end -= w->at;
    w->at = 0;
    return n;
}
