#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void add(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    MUST(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/** Copies what was written to a BIO, which it frees. */
static void text_of(BIO *bio, char *text, size_t room)
{
    int n = BIO_read(bio, text, (int)room - 1);
    MUST(n > 0 && (size_t)n < room - 1);
    text[n] = 0;
    BIO_free(bio);
}

static void make(identity *i, EVP_PKEY *key, const EVP_MD *hash, const char *name)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    char names[64];
    snprintf(names, sizeof names, "DNS:%s,IP:127.0.0.1", name);
    MUST(key != NULL && X509_set_version(cert, 2) == 1 && X509_set_pubkey(cert, key) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    ASN1_TIME_set(X509_getm_notBefore(cert), WORLD_DAY - 86400);
    ASN1_TIME_set(X509_getm_notAfter(cert), WORLD_DAY + 365 * 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    add(cert, NID_subject_alt_name, names);
    add(cert, NID_basic_constraints, "critical,CA:TRUE");
    MUST(X509_sign(cert, key, hash) > 0);
    BIO *out = BIO_new(BIO_s_mem());
    MUST(PEM_write_bio_X509(out, cert) == 1);
    text_of(out, i->cert, sizeof i->cert);
    out = BIO_new(BIO_s_mem());
    MUST(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1);
    text_of(out, i->key, sizeof i->key);
    X509_free(cert);
    EVP_PKEY_free(key);
}

const identity *identity_of(int which)
{
    static identity all[2];
    if (all[0].cert[0] == 0) {
        world_begin(1);
        make(&all[0], EVP_EC_gen("P-256"), EVP_sha256(), "fuzz.example");
        make(&all[1], EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, "*.other.example");
        world_end();
    }
    return &all[which];
}
