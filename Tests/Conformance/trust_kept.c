/* An SSL_CTX of tlsmem_ctx_native's that a program keeps by itself, after its context has gone: it verifies as before, and where
 * the context asked for more than OpenSSL knows of, it believes nobody. */
#include "trust.h"

#include <openssl/ssl.h>

static SSL *begun(SSL_CTX *ctx, BIO *from, BIO *to)
{
    SSL *ssl = SSL_new(ctx);
    MUST(ssl != NULL && BIO_up_ref(from) == 1 && BIO_up_ref(to) == 1);
    SSL_set_bio(ssl, from, to);
    return ssl;
}

/** Has a client of the kept one and a server of OpenSSL's own shake hands. Returns whether the client is satisfied. */
static int shakes_hands(SSL_CTX *kept, const char *host)
{
    SSL_CTX *ours = SSL_CTX_new(TLS_server_method());
    MUST(SSL_CTX_use_certificate_file(ours, certificate("server.pem"), SSL_FILETYPE_PEM) == 1);
    MUST(SSL_CTX_use_PrivateKey_file(ours, certificate("server.key"), SSL_FILETYPE_PEM) == 1);
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    SSL *from = begun(kept, down, up), *to = begun(ours, up, down);
    MUST(SSL_set1_host(from, host) == 1);
    for (int turn = 0; turn < 4; turn++) {
        SSL_connect(from);
        SSL_accept(to);
    }
    int satisfied = SSL_is_init_finished(from);
    SSL_free(from);
    SSL_free(to);
    SSL_CTX_free(ours);
    BIO_free(up);
    BIO_free(down);
    return satisfied;
}

/** Makes a client's context, with a pin or without, and keeps what is OpenSSL's of it. */
static SSL_CTX *kept_of(int version, const char *ca, const char *digits)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate(ca)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
    if (digits != NULL)
        pin(ctx, digits);
    SSL_CTX *kept = tlsmem_ctx_native(ctx);
    MUST(SSL_CTX_up_ref(kept) == 1);
    tlsmem_ctx_free(ctx);
    return kept;
}

static void one(int version, const char *ca, const char *host, const char *digits, int expected)
{
    situation("kept: %s, %s, %s, TLS 1.%d", ca, host, digits != NULL ? "a pin" : "no pin", version - 0x0301);
    SSL_CTX *kept = kept_of(version, ca, digits);
    CHECK(shakes_hands(kept, host) == expected, "expected %d", expected);
    SSL_CTX_free(kept);
}

void kept_contexts(int version)
{
    one(version, "ca.pem", "localhost", NULL, 1);
    one(version, "ca.pem", "other.example", NULL, 0);
    one(version, "other-ca.pem", "localhost", NULL, 0);
    one(version, "ca.pem", "localhost", "00000000000000000000000000000000000000000000000000000000000000ff", 0);
}
