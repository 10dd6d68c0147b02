/* facts.c - whether a connection is what the flags say that it must be. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"

static bool holds(bool truth, const char *what)
{
    if (!truth)
        fprintf(stderr, "not as expected: %s\n", what);
    return truth;
}

/* A number that is not expected is any. */
static bool number_holds(int expected, int found, const char *what)
{
    if (expected != 0 && expected != found)
        fprintf(stderr, "not as expected: %s is %d, not %d\n", what, found, expected);
    return expected == 0 || expected == found;
}

static bool text_holds(const char *expected, const char *found, size_t n, const char *what)
{
    return holds(strlen(expected) == n && memcmp(expected, found, n) == 0, what);
}

static bool ocsp_holds(struct tls *tls, const char *base64)
{
    unsigned char expected[512], found[512];
    size_t length = strlen(base64);
    if (length / 4 * 3 > sizeof expected)
        unimplemented("so long an OCSP response");
    int n = EVP_DecodeBlock(expected, (const unsigned char *)base64, (int)length);
    while (n > 0 && length > 0 && base64[length - 1] == '=')
        n--, length--;
    return holds(tls_ocsp_response(tls, found, sizeof found) == n && memcmp(expected, found, (size_t)n) == 0, "OCSP response");
}

/* Each certificate of the file, in order, and no other. */
static bool certificates_hold(struct tls *tls, const char *path)
{
    unsigned char found[8192], *der;
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate;
    bool same = file != NULL;
    size_t count = 0;
    while (same && (certificate = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL) {
        der = NULL;
        int n = i2d_X509(certificate, &der);
        same = n > 0 && tls_peer_certificate(tls, count++, found, sizeof found) == n && memcmp(found, der, (size_t)n) == 0;
        OPENSSL_free(der);
        X509_free(certificate);
    }
    BIO_free(file);
    return holds(same && count > 0 && tls_peer_certificate(tls, count, found, sizeof found) < 0, "certificates");
}

static bool early_data_holds(struct tls *tls, const struct flags *flags, const struct facts *facts)
{
    const char *reason = flags->expect_early_data_reason; /* of which only this one is anybody's but BoringSSL's */
    bool accepted = reason != NULL && strcmp(reason, "accept") == 0;
    return holds(!(flags->expect_accept_early_data || accepted) || facts->early_accepted, "early data accepted") &&
        holds(reason == NULL || accepted || !facts->early_accepted, "early data not accepted") &&
        holds(!flags->expect_reject_early_data || !facts->early_accepted, "early data rejected") &&
        holds(!flags->expect_no_offer_early_data || SSL_get_early_data_status(tls_native(tls)) == SSL_EARLY_DATA_NOT_SENT,
              "no early data offered");
}

/* In TLS 1.3 there is no such extension: it is as if there always were. */
static bool extensions_hold(SSL *ssl, const struct flags *flags)
{
    bool always = SSL_version(ssl) == TLS1_3_VERSION;
    return holds(!flags->expect_extended_master_secret || always || SSL_get_extms_support(ssl) == 1,
                 "extended master secret") &&
        holds(!flags->expect_secure_renegotiation || always || SSL_get_secure_renegotiation_support(ssl),
              "secure renegotiation") &&
        holds(!flags->expect_no_secure_renegotiation || !SSL_get_secure_renegotiation_support(ssl),
              "no secure renegotiation");
}

/* What OpenSSL keeps in no session is not there in the connection that is made with one. */
static bool handshake_holds(struct tls *tls, const struct flags *flags, const struct facts *facts)
{
    if (facts->resumed)
        return true;
    return number_holds(flags->expect_peer_signature_algorithm, facts->peer_scheme, "signature algorithm") &&
        (flags->expect_ocsp_response == NULL || ocsp_holds(tls, flags->expect_ocsp_response));
}

static bool verification_holds(SSL *ssl, const struct flags *flags)
{
    long result = flags->verify_fail ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK;
    return holds(!flags->expect_verify_result || SSL_get_verify_result(ssl) == result, "verify result");
}

bool facts_hold(struct tls *tls, const struct flags *flags, bool is_resumption)
{
    struct facts facts;
    tls_facts(tls, &facts);
    const char *alpn = flags->server ? flags->select_alpn : flags->expect_alpn;
    const char *name = facts.server_name != NULL ? facts.server_name : "";
    unsigned char unused[1];
    return number_holds(flags->expect_version, facts.version, "version") &&
        number_holds(flags->expect_cipher, facts.cipher, "cipher") &&
        number_holds(flags->expect_curve_id, facts.group, "group") &&
        holds(facts.resumed == (is_resumption && !flags->expect_session_miss), "resumed") &&
        text_holds(alpn != NULL ? alpn : "", facts.alpn, facts.alpn_bytes, "ALPN") &&
        (flags->expect_server_name == NULL || text_holds(flags->expect_server_name, name, strlen(name), "server name")) &&
        (flags->expect_peer_cert_file == NULL || certificates_hold(tls, flags->expect_peer_cert_file)) &&
        handshake_holds(tls, flags, &facts) && extensions_hold(tls_native(tls), flags) &&
        verification_holds(tls_native(tls), flags) && early_data_holds(tls, flags, &facts) &&
        holds(!flags->expect_hrr || facts.client_hellos > 1, "HelloRetryRequest") &&
        holds(!flags->expect_no_hrr || facts.client_hellos == 1, "no HelloRetryRequest") &&
        holds(!(flags->server ? flags->require_any_client_certificate : flags->psk == NULL) ||
              tls_peer_certificate(tls, 0, unused, 0) > 0, "a certificate of the peer's");
}

bool facts_hold_at_the_end(struct tls *tls, const struct flags *flags)
{
    struct facts facts;
    tls_facts(tls, &facts);
    if (facts.renegotiations != flags->expect_total_renegotiations)
        return holds(false, "renegotiations");
    if (flags->server || facts.version < TLS1_3_VERSION)
        return holds(flags->server || !flags->expect_no_session || !tls_has_session(tls), "no session");
    if (flags->shim_shuts_down) /* nobody has read until one came */
        return true;
    if (tls_has_session(tls) == flags->expect_no_session)
        return holds(false, "a session");
    bool takes_early_data = SSL_SESSION_get_max_early_data(SSL_get0_session(tls_native(tls))) != 0;
    return holds(!tls_has_session(tls) || takes_early_data == flags->expect_ticket_supports_early_data,
                 "a session for early data");
}
