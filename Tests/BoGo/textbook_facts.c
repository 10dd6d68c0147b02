/* textbook_facts.c - what OpenSSL knows of a connection. */
#include <string.h>

#include "native.h"
#include "textbook.h"

SSL *tls_native(struct tls *tls)
{
    return tls->ssl;
}

/* OpenSSL tells of hash and kind of key, not of the scheme. */
static int scheme(SSL *ssl)
{
    static const struct { int kind, hash, scheme; } known[] = {
        { EVP_PKEY_RSA, NID_sha1, 0x0201 },         { EVP_PKEY_RSA, NID_sha256, 0x0401 },
        { EVP_PKEY_RSA, NID_sha384, 0x0501 },       { EVP_PKEY_RSA, NID_sha512, 0x0601 },
        { EVP_PKEY_EC, NID_sha1, 0x0203 },          { EVP_PKEY_EC, NID_sha256, 0x0403 },
        { EVP_PKEY_EC, NID_sha384, 0x0503 },        { EVP_PKEY_EC, NID_sha512, 0x0603 },
        { EVP_PKEY_RSA_PSS, NID_sha256, 0x0804 },   { EVP_PKEY_RSA_PSS, NID_sha384, 0x0805 },
        { EVP_PKEY_RSA_PSS, NID_sha512, 0x0806 },   { EVP_PKEY_ED25519, NID_undef, 0x0807 },
    };
    int kind = 0, hash = NID_undef;
    if (SSL_get_peer_signature_type_nid(ssl, &kind) != 1)
        return 0;
    SSL_get_peer_signature_nid(ssl, &hash);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].kind == kind && known[i].hash == hash)
            return known[i].scheme;
    return 0;
}

static int group(SSL *ssl)
{
    static const struct { int nid, group; } known[] = {
        { NID_secp224r1, 21 }, { NID_X9_62_prime256v1, 23 }, { NID_secp384r1, 24 }, { NID_secp521r1, 25 }, { NID_X25519, 29 },
    };
    int nid = (int)SSL_get_negotiated_group(ssl);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].nid == nid)
            return known[i].group;
    return 0;
}

void tls_facts(struct tls *tls, struct facts *facts)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
    const unsigned char *alpn;
    unsigned n;
    SSL_get0_alpn_selected(tls->ssl, &alpn, &n);
    *facts = (struct facts){
        .version = SSL_version(tls->ssl),
        .cipher = cipher != NULL ? SSL_CIPHER_get_protocol_id(cipher) : 0,
        .group = group(tls->ssl),
        .peer_scheme = scheme(tls->ssl),
        .resumed = SSL_session_reused(tls->ssl),
        .early_accepted = SSL_get_early_data_status(tls->ssl) == SSL_EARLY_DATA_ACCEPTED,
        .server_name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name),
        .alpn = alpn != NULL ? (const char *)alpn : "",
        .alpn_bytes = n,
        .client_hellos = tls->client_hellos,
        .renegotiations = tls->handshakes > 0 ? tls->handshakes - 1 : 0,
    };
}

bool tls_export(struct tls *tls, const char *label, const char *context, void *bytes, size_t n)
{
    return native_export(tls->ssl, label, context, bytes, n);
}

/* The first Finished of the handshake: the client's, and the server's when it was resumed (RFC 5929, 3.1). */
ptrdiff_t tls_unique(struct tls *tls, void *bytes, size_t n)
{
    bool ours = tls->flags->server == (SSL_session_reused(tls->ssl) == 1);
    if (SSL_version(tls->ssl) >= TLS1_3_VERSION)
        return -1;
    return (ptrdiff_t)(ours ? SSL_get_finished(tls->ssl, bytes, n) : SSL_get_peer_finished(tls->ssl, bytes, n));
}

ptrdiff_t tls_peer_certificate(struct tls *tls, size_t index, void *der, size_t n)
{
    /* A server has its client's own certificate apart from the chain. */
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
    X509 *own = SSL_get0_peer_certificate(tls->ssl);
    size_t above = tls->flags->server ? 1 : 0;
    X509 *one = index == 0 ? own : sk_X509_value(chain, (int)(index - above));
    unsigned char *to = der;
    int length = one != NULL ? i2d_X509(one, NULL) : -1;
    if (length >= 0 && (size_t)length <= n)
        i2d_X509(one, &to);
    return length;
}

ptrdiff_t tls_ocsp_response(struct tls *tls, void *der, size_t n)
{
    unsigned char *response;
    long length = SSL_get_tlsext_status_ocsp_resp(tls->ssl, &response);
    if (length > 0 && (size_t)length <= n)
        memcpy(der, response, (size_t)length);
    return length;
}
