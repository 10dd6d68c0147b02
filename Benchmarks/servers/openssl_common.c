/* openssl_common.c - see openssl_common.h. */
#include "openssl_common.h"
#include "common.h"
#include <openssl/err.h>
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
