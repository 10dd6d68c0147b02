/* fd_before.c - OpenSSL on the socket itself: SSL_set_fd, and poll for what SSL_get_error says. */
#include "client.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* manual: ask */
/* Waits for what the call that returned `result` wants. Returns 0 when
   it wants nothing. */
static int waited(SSL *ssl, int result)
{
    struct pollfd p = { SSL_get_fd(ssl), 0, 0 };
    int wants = SSL_get_error(ssl, result);
    if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE)
        return 0;
    p.events = wants == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return poll(&p, 1, 10000) > 0;
}

static int talk(SSL *ssl)
{
    char text[4096];
    int n;
    while (ERR_clear_error(), (n = SSL_connect(ssl)) <= 0)
        if (!waited(ssl, n))
            return 1;
    while (ERR_clear_error(), (n = SSL_write(ssl, "hello\n", 6)) <= 0)
        if (!waited(ssl, n)) /* and then with the same arguments */
            return 1;
    do {
        while (ERR_clear_error(), (n = SSL_read(ssl, text, 4096)) <= 0)
            if (!waited(ssl, n))
                return 1;
    } while (!heard(text, n));
    while (ERR_clear_error(), (n = SSL_shutdown(ssl)) < 0)
        if (!waited(ssl, n))
            return 1;
    while (n != 1) { /* the peer's close_notify is still to come */
        ERR_clear_error();
        int came = SSL_read(ssl, text, sizeof text);
        if (came <= 0 && !waited(ssl, came))
            return SSL_get_error(ssl, came) != SSL_ERROR_ZERO_RETURN;
    }
    return 0;
}

int ask(const char *host, const char *port, const char *authorities)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL *ssl = SSL_new(ctx);
    int fd = dial(host, port), code = 1;
    signal(SIGPIPE, SIG_IGN); /* a peer that has gone */
    if (SSL_CTX_load_verify_file(ctx, authorities)
        && SSL_set1_host(ssl, host)              /* verified */
        && SSL_set_tlsext_host_name(ssl, host)   /* and asked for */
        && SSL_set_fd(ssl, fd))
        code = talk(ssl);
    if (code != 0)
        ERR_print_errors_fp(stderr);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return code;
}
/* end of ask */
