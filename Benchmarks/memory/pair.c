/* pair.c - established pairs; see pair.h. */
#include "pair.h"
#include "measure.h"
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static const char cipher[] = "TLS_AES_128_GCM_SHA256";

static EVP_PKEY *private_key;
static X509 *certificate;

/* A key and its self-signed certificate, made once. */
static void make_identity(void)
{
    if (certificate != NULL)
        return;
    private_key = EVP_EC_gen("P-256");
    certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, private_key);
    require(X509_sign(certificate, private_key, EVP_sha256()) > 0, "making a certificate");
}

/* Gives a context of libtlsmem the certificate and its key. */
static int identify(tlsmem_ctx *ctx)
{
    BIO *chain = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
    char *chain_text, *key_text;
    make_identity();
    require(PEM_write_bio_X509(chain, certificate), "writing a certificate");
    require(PEM_write_bio_PrivateKey(key, private_key, NULL, NULL, 0, NULL, NULL), "writing a key");
    long chain_n = BIO_get_mem_data(chain, &chain_text), key_n = BIO_get_mem_data(key, &key_text);
    int status = tlsmem_ctx_set_cert_mem(ctx, chain_text, (size_t)chain_n);
    if (status == TLSMEM_OK)
        status = tlsmem_ctx_set_key_mem(ctx, key_text, (size_t)key_n);
    BIO_free(chain);
    BIO_free(key);
    return status;
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)c, (void)bytes;
    ((struct pair *)user)->received += n;
}

static void carry(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK) {
        require(tlsmem_feed(to, bytes, n) == (ptrdiff_t)n, "tlsmem_feed");
        require(tlsmem_outgoing_consume(from, n) == TLSMEM_OK, "tlsmem_outgoing_consume");
    }
}

void pair_carry(struct pair *p) { carry(p->client, p->server); }

void pair_make(struct pair *p)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    callbacks.on_data = on_data;
    tlsmem_ctx *ours = tlsmem_ctx_new(TLSMEM_CLIENT), *theirs = tlsmem_ctx_new(TLSMEM_SERVER);
    require(tlsmem_ctx_insecure_no_verify(ours) == TLSMEM_OK && identify(theirs) == TLSMEM_OK
                && tlsmem_ctx_set_min_version(ours, TLSMEM_TLS1_3) == TLSMEM_OK
                && tlsmem_ctx_set_ciphers(ours, cipher) == TLSMEM_OK,
            "setting up contexts");
    p->received = 0;
    p->client = tlsmem_new(ours, &callbacks, p);
    p->server = tlsmem_new(theirs, &callbacks, p);
    tlsmem_ctx_free(ours);
    tlsmem_ctx_free(theirs);
    for (int i = 0; i < 4; i++) {
        carry(p->client, p->server);
        carry(p->server, p->client);
    }
    require(tlsmem_is_established(p->client) && tlsmem_is_established(p->server), "the handshake");
    require(strcmp(tlsmem_cipher_name(p->client), cipher) == 0, "the cipher");
}

static SSL *textbook_side(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    require(ssl != NULL, "SSL_new");
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())); /* ownership of both moves into ssl */
    return ssl;
}

void textbook_carry(struct textbook *t, SSL *from, SSL *to)
{
    for (int n; (n = BIO_read(SSL_get_wbio(from), t->wire, sizeof t->wire)) > 0;)
        require(BIO_write(SSL_get_rbio(to), t->wire, n) == n, "BIO_write");
}

void textbook_make(struct textbook *t)
{
    SSL_CTX *ours = SSL_CTX_new(TLS_client_method()), *theirs = SSL_CTX_new(TLS_server_method());
    make_identity();
    require(SSL_CTX_use_certificate(theirs, certificate) && SSL_CTX_use_PrivateKey(theirs, private_key)
                && SSL_CTX_set_ciphersuites(ours, cipher) && SSL_CTX_set_min_proto_version(ours, TLS1_3_VERSION),
            "setting up contexts");
    t->client = textbook_side(ours);
    t->server = textbook_side(theirs);
    SSL_CTX_free(ours);
    SSL_CTX_free(theirs);
    SSL_set_connect_state(t->client);
    SSL_set_accept_state(t->server);
    for (int i = 0; i < 4; i++) {
        SSL_do_handshake(t->client);
        textbook_carry(t, t->client, t->server);
        SSL_do_handshake(t->server);
        textbook_carry(t, t->server, t->client);
    }
    require(SSL_is_init_finished(t->client) && SSL_is_init_finished(t->server), "the handshake");
}
