#define _GNU_SOURCE
#include "signing.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>

const char *const signer_names[SIGNERS] = {
    "signs", "signs later", "signs in a thread", "signs twice", "returns OK", "returns an error", "answers with an error",
    "answers with nothing", "answers with too much", "flips a bit", "has another key", "frees the connection",
    "aborts the connection"
};
signings signs;
static held_key keys[16];
static tlsmem_loop *loops[2];

static EVP_PKEY *made(const char *name)
{
    if (strcmp(name, "RSA") == 0)
        return EVP_RSA_gen(2048);
    if (strcmp(name, "RSA-PSS") == 0) {
        EVP_PKEY *key = NULL;
        EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
        MUST(making != NULL && EVP_PKEY_keygen_init(making) == 1 && EVP_PKEY_keygen(making, &key) == 1);
        EVP_PKEY_CTX_free(making);
        return key;
    }
    if (strstr(name, "P-") != NULL)
        return EVP_EC_gen(strstr(name, "P-"));
    if (strcmp(name, "localhost") == 0)
        return EVP_EC_gen("P-256");
    if (strcmp(name, "compressed") != 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, name);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    MUST(key != NULL && EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed") == 1);
    return key;
}

held_key *held(const char *name)
{
    held_key *k = keys;
    while (k->name != NULL && strcmp(k->name, name) != 0)
        k++;
    if (k->name != NULL)
        return k;
    MUST(k < keys + 15 && (k->key = made(name)) != NULL);
    k->name = name;
    k->type = EVP_PKEY_is_a(k->key, "RSA") ? "RSA" : EVP_PKEY_is_a(k->key, "EC") ? "EC"
            : EVP_PKEY_is_a(k->key, "ED25519") ? "ED25519" : "ED448";
    X509 *x = X509_new();
    MUST(x != NULL && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), k - keys + 1) == 1);
    MUST(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL && X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL);
    X509_NAME *subject = X509_get_subject_name(x);
    MUST(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) == 1);
    MUST(X509_set_issuer_name(x, subject) == 1 && X509_set_pubkey(x, k->key) == 1);
    if (strcmp(name, "localhost") == 0) {
        X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
        MUST(names != NULL && X509_add_ext(x, names, -1) == 1);
        X509_EXTENSION_free(names);
    }
    const EVP_MD *hash = k->type[0] == 'E' && k->type[1] == 'D' ? NULL : EVP_sha256();
    MUST(X509_sign(x, k->key, hash) > 0);
    BIO *text = BIO_new(BIO_s_mem());
    MUST(text != NULL && PEM_write_bio_X509(text, x) == 1);
    int n = BIO_read(text, k->certificate, sizeof k->certificate);
    MUST(n > 0 && n < (int)sizeof k->certificate);
    k->certificate_bytes = (size_t)n;
    unsigned char *der = NULL;
    n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    MUST(n > 0 && EVP_Digest(der, (size_t)n, k->sha256, NULL, EVP_sha256(), NULL) == 1);
    OPENSSL_free(der);
    BIO_free(text);
    X509_free(x);
    return k;
}

held_key *held_by_sha256(const uint8_t *sha256)
{
    for (held_key *k = keys; k->name != NULL; k++)
        if (memcmp(k->sha256, sha256, sizeof k->sha256) == 0)
            return k;
    return NULL;
}

void held_free(void)
{
    for (held_key *k = keys; k->name != NULL; k++)
        EVP_PKEY_free(k->key);
    memset(keys, 0, sizeof keys);
}

size_t sign_as(EVP_PKEY *key, int scheme, const void *message, size_t n, unsigned char *signature, size_t room)
{
    static const char *const hashes[] = { NULL, "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512" };
    int is_pss = scheme >= 0x0804 && scheme <= 0x0806;
    const char *hash = scheme < 0x0700 ? hashes[scheme >> 8] : is_pss ? hashes[(scheme & 0xff)] : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    MUST(ctx != NULL && EVP_DigestSignInit_ex(ctx, &pctx, hash, NULL, NULL, key, NULL) == 1);
    if (is_pss)
        MUST(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1
             && EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    MUST(EVP_DigestSign(ctx, signature, &room, message, n) == 1);
    EVP_MD_CTX_free(ctx);
    return room;
}

tlsmem_ctx *keyless(tlsmem_role role, int version, const char *names)
{
    char list[128], *rest = NULL;
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(ctx != NULL && tlsmem_ctx_set_sign_cb(ctx, on_sign, &signs) == TLSMEM_OK);
    MUST(version == 0 || tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    MUST(version == 0 || tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
    MUST(role == TLSMEM_SERVER || tlsmem_ctx_insecure_no_verify(ctx) == TLSMEM_OK);
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
        held_key *k = NULL;
        for (held_key *at = keys; at->name != NULL; at++)
            k = strcmp(at->name, name) == 0 ? at : k;
        MUST(k != NULL);
        CHECK_STATUS(tlsmem_ctx_add_keypair_mem(ctx, NULL, k->certificate, k->certificate_bytes, NULL, 0), TLSMEM_OK);
    }
    return ctx;
}

static void *in_a_thread(void *user)
{
    (void)user;
    CHECK_STATUS(sign_now(), TLSMEM_OK);
    return NULL;
}

static int give(tlsmem *c, uint64_t token, int status, const void *bytes, size_t n)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.bytes = bytes;
    reply.length = n;
    return tlsmem_answer(c, token, status, &reply);
}

int sign_now(void)
{
    return give((tlsmem *)signs.c, signs.token, TLSMEM_OK, signs.waiting, signs.waiting_bytes);
}

static void check_request(const tlsmem_sign_request *r)
{
    uint8_t digest[64];
    unsigned n = 0;
    CHECK(r->size == sizeof *r && r->message_bytes > 0, "size %zu, %zu bytes", r->size, r->message_bytes);
    if (r->hash == NULL) {
        CHECK(r->digest == NULL && r->digest_bytes == 0, "a digest of %zu bytes without a hash", r->digest_bytes);
        return;
    }
    MUST(EVP_Digest(r->message, r->message_bytes, digest, &n, EVP_get_digestbyname(r->hash), NULL) == 1);
    CHECK(n == r->digest_bytes && memcmp(digest, r->digest, n) == 0, "the digest is another one");
}

int on_sign(tlsmem *c, const tlsmem_sign_request *r, void *user)
{
    held_key *k = held_by_sha256(r->key_sha256);
    MUST(k != NULL);
    CHECK(user == &signs && strcmp(k->type, r->key_type) == 0, "user %p, type %s", user, r->key_type);
    check_request(r);
    signs.asked++;
    signs.scheme = r->scheme;
    signs.c = c;
    signs.token = r->token;
    snprintf(signs.scheme_name, sizeof signs.scheme_name, "%s", r->scheme_name);
    snprintf(signs.key_type, sizeof signs.key_type, "%s", r->key_type);
    snprintf(signs.hash, sizeof signs.hash, "%s", r->hash == NULL ? "-" : r->hash);
    EVP_PKEY *key = signs.how == HAS_ANOTHER_KEY ? held("other P-256")->key : k->key;
    signs.waiting_bytes = sign_as(key, r->scheme, r->message, r->message_bytes, signs.waiting, sizeof signs.waiting);
    CHECK(signs.waiting_bytes <= r->signature_max || signs.how == HAS_ANOTHER_KEY, "%zu bytes, at most %zu",
          signs.waiting_bytes, r->signature_max);
    pthread_t thread;
    switch (signs.how) {
    case SIGNS_TWICE:
        CHECK_STATUS(sign_now(), TLSMEM_OK);
        CHECK_STATUS(sign_now(), TLSMEM_ESTATE);
        return TLSMEM_LATER;
    case FLIPS_A_BIT: signs.waiting[signs.waiting_bytes - 1] ^= 1; /* fall through */
    case HAS_ANOTHER_KEY: /* fall through */
    case SIGNS: CHECK_STATUS(sign_now(), TLSMEM_OK); return TLSMEM_LATER;
    case SIGNS_IN_A_THREAD:
        MUST(pthread_create(&thread, NULL, in_a_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
        return TLSMEM_LATER;
    case RETURNS_OK: return TLSMEM_OK;
    case RETURNS_ERROR: return -5;
    case ANSWERS_ERROR: CHECK_STATUS(give(c, r->token, -5, signs.waiting, signs.waiting_bytes), TLSMEM_OK); return TLSMEM_LATER;
    case ANSWERS_NOTHING: CHECK_STATUS(tlsmem_answer(c, r->token, TLSMEM_OK, NULL), TLSMEM_OK); return TLSMEM_LATER;
    case ANSWERS_TOO_MUCH:
        CHECK_STATUS(give(c, r->token, TLSMEM_OK, signs.waiting, r->signature_max + 1), TLSMEM_OK);
        return TLSMEM_LATER;
    case FREES: end_free_connection(&server); return TLSMEM_LATER;
    case ABORTS: CHECK_STATUS(tlsmem_abort(c), TLSMEM_OK); return TLSMEM_LATER;
    default: return TLSMEM_LATER;
    }
}

void open_pair(tlsmem_ctx *from, tlsmem_ctx *to, face f)
{
    for (int i = 0; i < 2; i++)
        MUST((loops[i] = new_loop()) != NULL);
    end_open(&client, from, f, loops[0], 0, 0);
    end_open(&server, to, f, loops[1], 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 1 });
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 20000;
    client.close_when_done = server.close_on_eof = 1;
}

void close_pair(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong, server.wrong);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(loops[i]);
    memset(&signs, 0, sizeof signs);
}
