/*
 * Seeds for the fuzzer of setters: a good one of each format, and of some more than one.
 *
 *   seeds_setters FOLDER
 */
#include "setters.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

static const char *folder;

/** The number of a format of that name. */
static unsigned number_of(const char *name)
{
    for (unsigned i = 0; i < formats_count; i++)
        if (strcmp(formats[i].name, name) == 0)
            return i;
    MUST(!"a format");
    return 0;
}

static void write_seed(const char *format, int variant, unsigned more, const void *bytes, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%d", folder, format, variant);
    FILE *file = fopen(path, "wb");
    MUST(file != NULL && n > 0);
    fputc((int)number_of(format), file), fputc((int)more, file);
    fwrite(bytes, 1, n, file);
    fclose(file);
}

static void text(const char *format, int variant, unsigned more, const char *words)
{
    write_seed(format, variant, more, words, strlen(words));
}

static void from_bio(const char *format, int variant, unsigned more, BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    write_seed(format, variant, more, bytes, (size_t)n);
    BIO_free(bio);
}

static X509 *own_cert(void)
{
    BIO *bio = BIO_new_mem_buf(identity_of(0)->cert, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *own_key(void)
{
    BIO *bio = BIO_new_mem_buf(identity_of(0)->key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

static void certificates(X509 *cert, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    text("cert", 0, 1, identity_of(0)->cert);
    text("cert", 1, 0, identity_of(1)->cert);
    MUST(i2d_X509_bio(bio, cert) == 1);
    from_bio("cert", 2, 1, bio);
    text("key", 0, 3, identity_of(0)->key);
    text("key", 1, 1, identity_of(1)->key);
    bio = BIO_new(BIO_s_mem());
    MUST(i2d_PrivateKey_bio(bio, key) == 1);
    from_bio("key", 2, 3, bio);
    bio = BIO_new(BIO_s_mem());
    MUST(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"fuzz") == 1);
    from_bio("key", 3, 7, bio);
    PKCS12 *both = PKCS12_create("fuzz", "fuzz", key, cert, NULL, 0, 0, 1, 1, 0);
    bio = BIO_new(BIO_s_mem());
    MUST(both != NULL && i2d_PKCS12_bio(bio, both) == 1);
    from_bio("pkcs12", 0, 5, bio);
    PKCS12_free(both);
    text("ca", 0, 0, identity_of(0)->cert);
    text("ca", 1, 7, identity_of(0)->cert);
    text("keypair", 0, 11, "*.fuzz.example");
    text("keypair", 1, 11, "fuzz.example");
}

static void revocations(X509 *cert, EVP_PKEY *key)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *early = ASN1_TIME_set(NULL, WORLD_DAY - 3600), *late = ASN1_TIME_set(NULL, WORLD_DAY + 86400);
    BIO *pem = BIO_new(BIO_s_mem()), *der = BIO_new(BIO_s_mem()), *stapled = BIO_new(BIO_s_mem());
    MUST(ASN1_INTEGER_set(serial, 7) == 1 && X509_REVOKED_set_serialNumber(revoked, serial) == 1);
    X509_REVOKED_set_revocationDate(revoked, early);
    X509_CRL_add0_revoked(crl, revoked);
    X509_CRL_set_version(crl, 1), X509_CRL_set_issuer_name(crl, X509_get_subject_name(cert));
    X509_CRL_set1_lastUpdate(crl, early), X509_CRL_set1_nextUpdate(crl, late);
    MUST(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    MUST(PEM_write_bio_X509_CRL(pem, crl) == 1 && i2d_X509_CRL_bio(der, crl) == 1);
    from_bio("crl", 0, 0, pem), from_bio("crl", 1, 0, der);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, cert);
    MUST(OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, early, late) != NULL);
    MUST(OCSP_basic_sign(basic, cert, key, EVP_sha256(), NULL, OCSP_NOCERTS) == 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    MUST(i2d_OCSP_RESPONSE_bio(stapled, response) == 1);
    from_bio("ocsp", 0, 3, stapled);
    OCSP_RESPONSE_free(response), OCSP_CERTID_free(id), OCSP_BASICRESP_free(basic);
    X509_CRL_free(crl), ASN1_INTEGER_free(serial), ASN1_TIME_free(early), ASN1_TIME_free(late);
}

static void note(const void *bytes, size_t n, void *user)
{
    MUST(BIO_write(user, bytes, (int)n) == (int)n);
}

/** Of a connection between ends that mean well: the session, and what the server was fed. */
static void of_a_connection(int version, int variant)
{
    uint8_t bytes[10000];
    tlsmem_ctx *server = context(TLSMEM_SERVER, 0), *client = context(TLSMEM_CLIENT, -1);
    MUST(tlsmem_ctx_set_max_version(client, version) == TLSMEM_OK && tlsmem_ctx_set_early_data(server, 1000) == TLSMEM_OK);
    tlsmem_pair *pair = tlsmem_pair_new(client, server);
    BIO *heard = BIO_new(BIO_s_mem());
    MUST(tlsmem_set_server_name(tlsmem_pair_end(pair, 0), "fuzz.example") == TLSMEM_OK);
    MUST(tlsmem_set_record_cb(tlsmem_pair_end(pair, 1), note, heard) == TLSMEM_OK);
    SAY(tlsmem_pair_end(pair, 0), "hello");
    SAY(tlsmem_pair_end(pair, 1), "hello");
    MUST(tlsmem_pair_run(pair, 1000) >= 0);
    while (tlsmem_read(tlsmem_pair_end(pair, 0), bytes, sizeof bytes) > 0)
        ;
    tlsmem_session *session = tlsmem_session_get(tlsmem_pair_end(pair, 0));
    ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
    MUST(n > 0 && (size_t)n <= sizeof bytes);
    write_seed("session", variant, 4, bytes, (size_t)n);
    tlsmem_pair_free(pair);
    from_bio("recording", variant, 3, heard);
    tlsmem_session_free(session), tlsmem_ctx_free(server), tlsmem_ctx_free(client);
}

static void words(void)
{
    char key[400] = "# a remark\n";
    for (int i = 0; i < 80; i++)
        strcat(key, i % 2 ? "5a" : "c3");
    strcat(key, " 1700000000 1800000000 1900000000 # and one\n\n");
    text("ticket_keys", 0, 1, key);
    text("alpn", 0, 3, "h2,http/1.1"), text("alpn", 1, 0, "a,bb,,ccc");
    text("ciphers", 0, 3, "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:?NONE");
    text("ciphers", 1, 0, "HIGH:!aNULL:-SHA1:+AES256:ECDHE+AESGCM:@SECLEVEL=2:@STRENGTH");
    text("ciphers", 2, 0, "SUITEB128:DEFAULT");
    text("groups", 0, 0, "X25519:P-256:?X25519MLKEM768:P-384"), text("groups", 1, 3, "*X25519/-P-256");
    text("algorithms", 0, 3, "ecdsa_secp256r1_sha256:RSA-PSS+SHA256:ed25519:?none");
    text("psk", 0, 7, "fuzz"), text("psk", 1, 0, "identity");
    text("pin", 0, 0, "0123456789abcdef0123456789abcdef");
    text("server_name", 0, 0, "fuzz.example"), text("server_name", 1, 0, "b\xc3\xbc" "cher.example");
    text("server_name", 2, 0, "192.0.2.1"), text("server_name", 3, 0, "2001:db8::1"), text("server_name", 4, 0, "127.0.0.1.");
    text("recording", 2, 1, "tlsmem recording 1\n0 in 1603010005\n35 end\n40 error 104\n10000 tick\n");
    text("place", 0, 3, "::1"), text("place", 1, 7, "@fuzz-place"), text("place", 2, 0, "::ffff:127.0.0.1");
}

int main(int argc, char **argv)
{
    MUST(argc == 2);
    folder = argv[1];
    world_begin(8);
    X509 *cert = own_cert();
    EVP_PKEY *key = own_key();
    certificates(cert, key);
    world_begin(8); /* identity_of has let the clocks go */
    revocations(cert, key);
    of_a_connection(TLSMEM_TLS1_3, 0);
    of_a_connection(TLSMEM_TLS1_2, 1);
    words();
    world_end();
    X509_free(cert), EVP_PKEY_free(key);
    return 0;
}
