/* openssl_common.c - see openssl_common.h. */
#include "openssl_common.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>

SSL_CTX *openssl_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, options.read_ahead);
    if (SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1
        || SSL_CTX_use_certificate_chain_file(ctx, options.cert) != 1
        || SSL_CTX_use_PrivateKey_file(ctx, options.key, SSL_FILETYPE_PEM) != 1)
        fail("--cert or --key is not usable");
    return ctx;
}

uint32_t openssl_wants(SSL *ssl, int r)
{
    switch (SSL_get_error(ssl, r)) {
    case SSL_ERROR_WANT_READ: return EPOLLIN;
    case SSL_ERROR_WANT_WRITE: return EPOLLOUT;
    default: ERR_clear_error(); return 0;
    }
}

uint32_t openssl_write(struct tls *t, const char *bytes, size_t n)
{
    while (n > 0) {
        int written = SSL_write(t->ssl, bytes, (int)n);
        if (written <= 0) {
            keep(&t->rest, bytes, n);
            return openssl_wants(t->ssl, written);
        }
        bytes += written;
        n -= (size_t)written;
    }
    return EPOLLIN;
}

uint32_t openssl_write_rest(struct tls *t)
{
    while (t->rest.n > 0) {
        int written = SSL_write(t->ssl, t->rest.bytes + t->rest.at, (int)t->rest.n);
        if (written <= 0)
            return openssl_wants(t->ssl, written);
        t->rest.at += (size_t)written;
        t->rest.n -= (size_t)written;
    }
    free(t->rest.bytes);
    t->rest = (struct rest) { 0 };
    return EPOLLIN;
}

uint32_t openssl_download(struct tls *t)
{
    for (size_t sent = 0; sent < WRITE_BYTES_A_TURN;) {
        int written = SSL_write(t->ssl, block + t->at, (int)(options.size - t->at));
        if (written <= 0)
            return openssl_wants(t->ssl, written);
        t->at = (t->at + (size_t)written) % options.size;
        sent += (size_t)written;
    }
    return EPOLLOUT;
}

void openssl_end(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    SSL_free(t->ssl);
    free(t->rest.bytes);
}
