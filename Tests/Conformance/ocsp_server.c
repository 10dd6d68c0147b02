/*
 * Servers that staple: which responses they take, to which of their certificates each goes, how they renew them while they
 * serve, and when they keep one back.
 */
#include "ocsp.h"
#include "false_clock.h"

#include <pthread.h>

static int version;

/** What a client is given that asks a server for a name, and signs with nothing else than what is named. */
static void gives(tlsmem_ctx *to, const char *host, const char *algorithms, const char *response)
{
    unsigned char der[8192];
    size_t n = 0;
    unsigned char *expected = response != NULL ? contents(response, &n) : NULL;
    tlsmem_ctx *from = asking(version, 0);
    MUST(tlsmem_ctx_set_signature_algorithms(from, algorithms) == TLSMEM_OK);
    meet(from, to, host, NULL);
    CHECK_STATUS(error_of(client.c).status, TLSMEM_OK);
    CHECK_STATUS(tlsmem_ocsp_response(client.c, der, sizeof der), response != NULL ? (long)n : TLSMEM_AGAIN);
    CHECK(expected == NULL || memcmp(der, expected, n) == 0, "the response is not %s", response);
    part();
    tlsmem_ctx_free(from);
    free(expected);
}

#define ECDSA "ecdsa_secp256r1_sha256"
#define RSA   "rsa_pss_rsae_sha256"

/** Refused, with a sentence that has this in it, whatever was given before is given still. */
static void refuses(tlsmem_ctx *ctx, const char *response, const char *why)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(tlsmem_ctx_set_ocsp_response(ctx, certificate(response)), TLSMEM_ECONFIG);
    MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK);
    CHECK(strstr(error.sentence, why) != NULL && strstr(error.sentence, response) != NULL, "\"%s\"", error.sentence);
}

static void refused(void)
{
    situation("what a server does not take, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    size_t n;
    unsigned char *good = contents("server.good.ocsp", &n);
    refuses(ctx, "server.good.ocsp", "none of our certificates");
    tlsmem_ctx_free(ctx);
    ctx = server_with("server", version);
    CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(ctx, good, n), TLSMEM_OK);
    for (int is_frozen = 0; is_frozen < 2; is_frozen++) {
        refuses(ctx, "rsa.good.ocsp", "none of our certificates");
        refuses(ctx, "responses.pem", "none of our certificates");
        refuses(ctx, "server.expired.ocsp", "has expired");
        refuses(ctx, "server.future.ocsp", "not valid yet");
        refuses(ctx, "server.later.ocsp", "no answer");
        refuses(ctx, "server.pem", "there is no OCSP response");
        refuses(ctx, "server.none.ocsp", "cannot be opened");
        CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(ctx, good, n / 2), TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(ctx, good, n - 1), TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(ctx, good, 0), TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(ctx, good, SIZE_MAX), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_ocsp_response_mem(ctx, NULL, 1), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_ocsp_response(ctx, NULL), TLSMEM_EINVAL);
        gives(ctx, NULL, ECDSA, "server.good.ocsp");
    }
    tlsmem_ctx_free(ctx);
    free(good);
}

/** One for each of them, and for those names. */
static void several(void)
{
    situation("several certificates, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ctx = server_with("server", version);
    MUST(tlsmem_ctx_add_keypair(ctx, NULL, certificate("rsa.pem"), certificate("rsa.key")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ocsp_response(ctx, certificate("responses.pem")) == TLSMEM_OK);
    gives(ctx, NULL, ECDSA, "server.good.ocsp");
    gives(ctx, NULL, RSA, "rsa.good.ocsp");
    tlsmem_ctx_free(ctx);

    ctx = server_with("rsa", version);
    MUST(tlsmem_ctx_add_keypair(ctx, "localhost", certificate("full.pem"), certificate("full.key")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ocsp_response(ctx, certificate("chained.good.ocsp")) == TLSMEM_OK);
    gives(ctx, NULL, ECDSA ":" RSA, "chained.good.ocsp");
    gives(ctx, "127.0.0.1", RSA, NULL);
    MUST(tlsmem_ctx_set_ocsp_response(ctx, certificate("rsa.good.ocsp")) == TLSMEM_OK);
    gives(ctx, "127.0.0.1", RSA, "rsa.good.ocsp");
    gives(ctx, NULL, ECDSA ":" RSA, "chained.good.ocsp");
    tlsmem_ctx_free(ctx);
}

static int is_done, surprises;
static char paths[3][256];

static void *renew(void *ctx)
{
    for (int i = 0; !__atomic_load_n(&is_done, __ATOMIC_RELAXED); i = (i + 1) % 3) {
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        if (tlsmem_ctx_set_ocsp_response(ctx, paths[i]) != (i < 2 ? TLSMEM_OK : TLSMEM_ECONFIG)
            || tlsmem_ctx_error(ctx, &error) != TLSMEM_OK)
            __atomic_fetch_add(&surprises, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void renewed(void)
{
    situation("renewed while it serves, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ctx = server_with("server", version), *from = asking(version, 1);
    pthread_t threads[2];
    MUST(tlsmem_ctx_set_ocsp_response(ctx, certificate("server.good.ocsp")) == TLSMEM_OK);
    gives(ctx, NULL, ECDSA, "server.good.ocsp");
    MUST(tlsmem_ctx_set_ocsp_response(ctx, certificate("server.delegate.ocsp")) == TLSMEM_OK);
    gives(ctx, NULL, ECDSA, "server.delegate.ocsp");
    snprintf(paths[0], sizeof paths[0], "%s", certificate("server.good.ocsp"));
    snprintf(paths[1], sizeof paths[1], "%s", certificate("server.open.ocsp"));
    snprintf(paths[2], sizeof paths[2], "%s", certificate("server.expired.ocsp"));
    is_done = surprises = 0;
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, renew, ctx) == 0);
    for (int i = 0; i < 20; i++) {
        meet(from, ctx, NULL, NULL);
        CHECK_STATUS(error_of(client.c).status, TLSMEM_OK);
        part();
    }
    __atomic_store_n(&is_done, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    CHECK_STATUS(surprises, 0);
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(from);
}

static void run_out(void)
{
    situation("one that has run out, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *ctx = server_with("server", version);
    MUST(tlsmem_ctx_set_ocsp_response(ctx, certificate("server.good.ocsp")) == TLSMEM_OK);
    gives(ctx, NULL, ECDSA, "server.good.ocsp");
    false_clock_jump(2 * 86400);
    gives(ctx, NULL, ECDSA, NULL);
    false_clock_jump(-2 * 86400);
    gives(ctx, NULL, ECDSA, "server.good.ocsp");
    tlsmem_ctx_free(ctx);
}

void given_by_servers(int of_version)
{
    version = of_version;
    refused();
    several();
    renewed();
    run_out();
}
