/* A library of somebody else's, with an OpenSSL of its own in it (libssl.a and libcrypto.a), of which nothing shows. */
#include <openssl/ssl.h>

static SSL_CTX *ctx[2];
static SSL *ssl[2];

static int open_both(const char *cert, const char *key)
{
    BIO *a, *b;
    ctx[0] = SSL_CTX_new(TLS_client_method());
    ctx[1] = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_file(ctx[1], cert, SSL_FILETYPE_PEM) != 1
        || SSL_CTX_use_PrivateKey_file(ctx[1], key, SSL_FILETYPE_PEM) != 1 || BIO_new_bio_pair(&a, 0, &b, 0) != 1)
        return 0;
    for (int i = 0; i < 2; i++) {
        ssl[i] = SSL_new(ctx[i]);
        SSL_set_bio(ssl[i], i == 0 ? a : b, i == 0 ? a : b);
    }
    SSL_set_connect_state(ssl[0]);
    SSL_set_accept_state(ssl[1]);
    return 1;
}

const char *other_version(void) { return OpenSSL_version(OPENSSL_VERSION); }

/** A part of a handshake with itself. Returns 1 when it is done, 0 before, less when it fails. */
int other_step(const char *cert, const char *key)
{
    if (ssl[0] == NULL && !open_both(cert, key))
        return -1;
    for (int i = 0; i < 2; i++) {
        int done = SSL_do_handshake(ssl[i]);
        if (done != 1 && SSL_get_error(ssl[i], done) != SSL_ERROR_WANT_READ)
            return -2;
    }
    if (!SSL_is_init_finished(ssl[0]) || !SSL_is_init_finished(ssl[1]))
        return 0;
    for (int i = 0; i < 2; i++) {
        SSL_free(ssl[i]);
        SSL_CTX_free(ctx[i]);
    }
    return 1;
}
