/* Setters of several things at once while OpenSSL runs out of memory: all of them are set, or none, and the code is right. */
#define _GNU_SOURCE
#include "alloc.h"

#include <openssl/ssl.h>

enum { AUTHORITIES, ACCEPTED, LISTS, IDENTITY, NAME, RESPONSE, KEY, SETTERS };
static const char *const names[] = { "authorities", "accepted authorities", "lists", "PKCS#12", "a pair for a name",
                                    "OCSP response", "key in common" };
static char authorities[16384], lists[16384];
static const char common_key[] = "a key that is nowhere when its context is gone";

static int try(tlsmem_ctx *ctx, int setter)
{
    switch (setter) {
    case AUTHORITIES: return tlsmem_ctx_set_ca_mem(ctx, authorities, strlen(authorities));
    case ACCEPTED: return tlsmem_ctx_set_accepted_ca_mem(ctx, authorities, strlen(authorities));
    case LISTS: return tlsmem_ctx_add_crl_mem(ctx, lists, strlen(lists));
    case IDENTITY: return tlsmem_ctx_set_pkcs12(ctx, certificate("full.p12"), "secret");
    case RESPONSE: return tlsmem_ctx_set_ocsp_response(ctx, certificate("server.good.ocsp"));
    case KEY: return tlsmem_ctx_set_psk(ctx, "a", common_key, sizeof common_key);
    default: return tlsmem_ctx_add_keypair(ctx, "b.example", certificate("b.pem"), certificate("b.key"));
    }
}

/** What a context trusts, and tells of it. */
static void look(tlsmem_ctx *ctx, long seen[3])
{
    SSL_CTX *native = tlsmem_ctx_native(ctx);
    seen[0] = sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(native)));
    seen[1] = sk_X509_NAME_num(SSL_CTX_get_client_CA_list(native));
    seen[2] = (long)X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(native));
}

/** A context that trusts one already, which is among the others, too. Returns what the setter says. */
static int attempt(int setter, long at, int all)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    long before[3], after[3];
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(ctx != NULL && tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(setter != RESPONSE || tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")) == TLSMEM_OK);
    MUST(setter != RESPONSE || tlsmem_ctx_set_key_file(ctx, certificate("server.key")) == TLSMEM_OK);
    look(ctx, before);
    allocations = failures = 0;
    fail_all = all;
    fail_at = at;
    int status = try(ctx, setter);
    fail_at = fail_all = 0;
    look(ctx, after);
    MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK);
    CHECK(status == TLSMEM_OK || memcmp(before, after, sizeof before) == 0, "%s: it has %ld, %ld; it had %ld, %ld",
          tlsmem_status_name(status), after[0], after[1], before[0], before[1]);
    CHECK(strstr(error.sentence, "out of memory") == NULL || status == TLSMEM_ENOMEM, "%s: %s", tlsmem_status_name(status),
          error.sentence);
    /* Of a failure OpenSSL may say nothing at all, and from 3.2 on its parser says only that it could not parse. */
    int tells = strncmp(tlsmem_openssl_version(), "OpenSSL 3.0", 11) == 0 && error.openssl_code != 0;
    CHECK(status == TLSMEM_OK || status == TLSMEM_ENOMEM || setter == IDENTITY || setter == NAME || setter == RESPONSE || all || !tells, "%s: %s",
          tlsmem_status_name(status), error.sentence);
    tlsmem_ctx_free(ctx);
    return status;
}

/** Wiped with the context, and after a handshake wherever OpenSSL had it. */
static void key_is_wiped(int version)
{
    situation("a key in common, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ctxs[2];
    tlsmem *both[2];
    const void *bytes;
    size_t n;
    const char *const secret_before = secret;
    const size_t length_before = secret_length;
    secret = common_key;
    secret_length = sizeof common_key;
    for (int i = 0; i < 2; i++) {
        ctxs[i] = tlsmem_ctx_new(i == 0 ? TLSMEM_CLIENT : TLSMEM_SERVER);
        MUST(tlsmem_ctx_set_max_version(ctxs[i], version) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_psk(ctxs[i], "a", common_key, sizeof common_key) == TLSMEM_OK);
        MUST((both[i] = tlsmem_new(ctxs[i], NULL, NULL)) != NULL);
    }
    found = 0;
    for (int turn = 0; turn < 8; turn++)
        while (tlsmem_outgoing_peek(both[turn % 2], &bytes, &n) == TLSMEM_OK)
            MUST(tlsmem_feed(both[!(turn % 2)], bytes, n) == (ptrdiff_t)n
                 && tlsmem_outgoing_consume(both[turn % 2], n) == TLSMEM_OK);
    for (int i = 0; i < 2; i++) {
        CHECK(tlsmem_psk_identity(both[i]) != NULL && tlsmem_is_established(both[i]), "no connection");
        tlsmem_free(both[i]);
        tlsmem_ctx_free(ctxs[i]);
    }
    CHECK(found == 0, "it is still there %ld times", found);
    secret = secret_before;
    secret_length = length_before;
}

static void fill(char *text, size_t room, const char *const *files)
{
    size_t n = 0;
    for (; *files != NULL; files++) {
        FILE *file = fopen(certificate(*files), "r");
        MUST(file != NULL);
        n += fread(text + n, 1, room - 1 - n, file);
        MUST(n < room - 1 && fclose(file) == 0);
    }
}

void settings(void)
{
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        key_is_wiped(version);
    fill(authorities, sizeof authorities, (const char *const[]){ "other-ca.pem", "ca.pem", "intermediate.pem", NULL });
    fill(lists, sizeof lists, (const char *const[]){ "corpus/stranger.crl", "corpus/both.crl", NULL });
    for (int setter = 0; setter < SETTERS; setter++)
        for (int all = 0; all < 2; all++) {
            situation("%s, all allocations succeed", names[setter]);
            CHECK_STATUS(attempt(setter, 0, 0), TLSMEM_OK);
            long count = allocations, refused = 0, stride = count / setting("ALLOC_MOST", 400) + 1;
            for (long i = count; i >= 1; i -= stride) {
                situation("%s, allocation %ld of %ld fails%s", names[setter], i, count, all ? ", and all behind it" : "");
                refused += attempt(setter, i, all) != TLSMEM_OK;
            }
            CHECK(refused > 0, "no failed allocation made a difference");
        }
}
