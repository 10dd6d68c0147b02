/* native.c - settings that both shims make on OpenSSL's own objects. */
#include <stdio.h>
#include <string.h>

#include "native.h"

/* BoringSSL's own, for tests that name none. */
#define GROUPS_USUAL "X25519:P-256:P-384"

struct numbered {
    int number;
    const char *name;
};

/* CECPQ2 is an experiment of BoringSSL's: "" for what may be left out of a list. */
static const struct numbered groups[] = {
    { 21, "secp224r1" }, { 23, "P-256" }, { 24, "P-384" }, { 25, "P-521" }, { 29, "X25519" }, { 16696, "" }, { 0, NULL },
};

static const struct numbered schemes[] = {
    { 0x0201, "rsa_pkcs1_sha1" },          { 0x0203, "ecdsa_sha1" },
    { 0x0401, "rsa_pkcs1_sha256" },        { 0x0403, "ecdsa_secp256r1_sha256" },
    { 0x0501, "rsa_pkcs1_sha384" },        { 0x0503, "ecdsa_secp384r1_sha384" },
    { 0x0601, "rsa_pkcs1_sha512" },        { 0x0603, "ecdsa_secp521r1_sha512" },
    { 0x0804, "rsa_pss_rsae_sha256" },     { 0x0805, "rsa_pss_rsae_sha384" },
    { 0x0806, "rsa_pss_rsae_sha512" },     { 0x0807, "ed25519" },
    { 0, NULL },
};

static const char *listed(const struct flag_list *list, const struct numbered *known)
{
    static char text[1024];
    text[0] = '\0';
    for (int i = 0; i < list->count; i++) {
        const struct numbered *one = known;
        while (one->name != NULL && one->number != list->values[i])
            one++;
        if (one->name == NULL)
            unimplemented("a number that OpenSSL has no name for");
        if (one->name[0] != '\0')
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] != '\0' ? ":" : "", one->name);
    }
    if (list->count > 0 && text[0] == '\0')
        unimplemented("a list of which nothing is left");
    return list->count > 0 ? text : NULL;
}

const char *native_groups(const struct flags *flags)
{
    const char *named = listed(&flags->curves, groups);
    return named != NULL ? named : GROUPS_USUAL;
}

/* OpenSSL has one list for what we sign with and what we take. */
const char *native_signature_algorithms(const struct flags *flags)
{
    const struct flag_list *signing = &flags->signing_prefs, *taken = &flags->verify_prefs;
    if (signing->count > 0 && taken->count > 0 && memcmp(signing, taken, sizeof *signing) != 0)
        unimplemented("two lists of signature algorithms");
    return listed(signing->count > 0 ? signing : taken, schemes);
}

static const struct flags *psk_flags;

static unsigned psk_of_client(SSL *ssl, const char *hint, char *identity, unsigned identity_most, unsigned char *key,
                              unsigned key_most)
{
    (void)ssl;
    const char *ours = psk_flags->psk_identity != NULL ? psk_flags->psk_identity : "";
    size_t length = strlen(psk_flags->psk);
    if (strcmp(hint != NULL ? hint : "", ours) != 0 || strlen(ours) >= identity_most || length > key_most)
        return 0;
    strcpy(identity, ours);
    memcpy(key, psk_flags->psk, length);
    return (unsigned)length;
}

static unsigned psk_of_server(SSL *ssl, const char *identity, unsigned char *key, unsigned key_most)
{
    (void)ssl;
    size_t length = strlen(psk_flags->psk);
    if (strcmp(identity, psk_flags->psk_identity != NULL ? psk_flags->psk_identity : "") != 0 || length > key_most)
        return 0;
    memcpy(key, psk_flags->psk, length);
    return (unsigned)length;
}

static void set_psk(SSL_CTX *ctx, const struct flags *flags)
{
    if (flags->psk == NULL)
        return;
    psk_flags = flags;
    if (flags->server)
        SSL_CTX_set_psk_server_callback(ctx, psk_of_server);
    else
        SSL_CTX_set_psk_client_callback(ctx, psk_of_client);
    if (flags->server && flags->psk_identity != NULL && SSL_CTX_use_psk_identity_hint(ctx, flags->psk_identity) != 1)
        unimplemented("such an identity");
}

static void set_versions(SSL_CTX *ctx, const struct flags *flags)
{
    static const struct { size_t at; uint64_t option; } without[] = {
        { offsetof(struct flags, no_tls1), SSL_OP_NO_TLSv1 }, { offsetof(struct flags, no_tls11), SSL_OP_NO_TLSv1_1 },
        { offsetof(struct flags, no_tls12), SSL_OP_NO_TLSv1_2 }, { offsetof(struct flags, no_tls13), SSL_OP_NO_TLSv1_3 },
    };
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        if (*(const bool *)((const char *)flags + without[i].at))
            SSL_CTX_set_options(ctx, without[i].option);
    if (SSL_CTX_set_min_proto_version(ctx, flags->min_version != 0 ? flags->min_version : TLS1_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, flags->max_version) != 1)
        unimplemented("such versions");
}

void native_settings(SSL_CTX *ctx, const struct flags *flags)
{
    SSL_CTX_set_security_level(ctx, 0);
    if (SSL_CTX_set_cipher_list(ctx, flags->cipher != NULL ? flags->cipher : "ALL:!aNULL:!eNULL") != 1)
        unimplemented("such a list of ciphers");
    SSL_CTX_clear_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (flags->cipher != NULL || flags->server_preference)
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (flags->fallback_scsv)
        SSL_CTX_set_mode(ctx, SSL_MODE_SEND_FALLBACK_SCSV);
    if (flags->max_send_fragment > 0 && SSL_CTX_set_max_send_fragment(ctx, flags->max_send_fragment) != 1)
        unimplemented("such small records");
    if (flags->no_ticket)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    set_versions(ctx, flags);
    set_psk(ctx, flags);
}

bool native_export(SSL *ssl, const char *label, const char *context, void *bytes, size_t n)
{
    const char *text = label != NULL ? label : "";
    return SSL_export_keying_material(ssl, bytes, n, text, strlen(text), (const unsigned char *)context,
                                      context != NULL ? strlen(context) : 0, context != NULL) == 1;
}
