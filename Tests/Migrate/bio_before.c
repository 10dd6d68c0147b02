/* bio_before.c - OpenSSL over two memory BIOs, with recv and send of the program's own. */
#include "client.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* manual: ask */
struct tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    int fd;
};

static int ready(int fd, short events)
{
    struct pollfd p = { fd, events, 0 };
    return poll(&p, 1, 10000) > 0;
}

/* Sends what OpenSSL has made: after every call, failed or not. */
static int flush(struct tls *t)
{
    char wire[4096];
    int n;
    while ((n = BIO_read(t->out, wire, sizeof wire)) > 0)
        for (ssize_t at = 0, sent; at < n; at += sent > 0 ? sent : 0) {
            sent = send(t->fd, wire + at, (size_t)(n - at), MSG_NOSIGNAL);
            if (sent < 0 && (errno != EAGAIN || !ready(t->fd, POLLOUT)))
                return 0;
        }
    return 1;
}

/* After a call that returned `result`: sends, and receives if it wants
   more. Returns whether it is to be made again. */
static int moved(struct tls *t, int result)
{
    char wire[16384];
    int wants = SSL_get_error(t->ssl, result);
    if (!flush(t) || wants != SSL_ERROR_WANT_READ
        || !ready(t->fd, POLLIN))
        return 0;
    ssize_t n = recv(t->fd, wire, sizeof wire, 0);
    if (n == 0)
        BIO_set_mem_eof_return(t->in, 0); /* or it would ask for ever */
    return n == 0 || (n > 0 && BIO_write(t->in, wire, (int)n) == n);
}

static int talk(struct tls *t)
{
    char text[4096];
    int n;
    while (ERR_clear_error(), (n = SSL_connect(t->ssl)) <= 0)
        if (!moved(t, n))
            return 1;
    while (ERR_clear_error(), (n = SSL_write(t->ssl, "hello\n", 6)) <= 0)
        if (!moved(t, n))
            return 1;
    do {
        if (!flush(t))
            return 1;
        while (ERR_clear_error(), (n = SSL_read(t->ssl, text, 4096)) <= 0)
            if (!moved(t, n))
                return 1;
    } while (!heard(text, n));
    if (SSL_shutdown(t->ssl) < 0 || !flush(t))
        return 1;
    for (;;) { /* until the peer's close_notify has come, too */
        ERR_clear_error();
        n = SSL_read(t->ssl, text, sizeof text);
        if (n <= 0 && !moved(t, n))
            return SSL_get_error(t->ssl, n) != SSL_ERROR_ZERO_RETURN;
    }
}

int ask(const char *host, const char *port, const char *authorities)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    struct tls t = { SSL_new(ctx), BIO_new(BIO_s_mem()),
                     BIO_new(BIO_s_mem()), dial(host, port) };
    int code = 1;
    SSL_set_bio(t.ssl, t.in, t.out);
    if (SSL_CTX_load_verify_file(ctx, authorities)
        && SSL_set1_host(t.ssl, host)
        && SSL_set_tlsext_host_name(t.ssl, host))
        code = talk(&t);
    if (code != 0)
        ERR_print_errors_fp(stderr);
    SSL_free(t.ssl);
    SSL_CTX_free(ctx);
    close(t.fd);
    return code;
}
/* end of ask */
