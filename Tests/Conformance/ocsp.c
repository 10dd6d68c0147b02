/*
 * Clients that ask servers for what their authority says of them: each response of Tests/responses is shown, to clients that
 * ask and to clients that insist, in TLS 1.2 and 1.3. OpenSSL staples them here, because our servers would not take most.
 */
#include "ocsp.h"

#include <openssl/ssl.h>

unsigned char *contents(const char *name, size_t *n)
{
    FILE *file = fopen(certificate(name), "rb");
    MUST(file != NULL);
    unsigned char *bytes = malloc(8192);
    MUST(bytes != NULL && (*n = fread(bytes, 1, 8192, file)) > 0);
    fclose(file);
    return bytes;
}

tlsmem_ctx *server_with(const char *name, int version)
{
    char file[64];
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.pem", name);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", name);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
    return ctx;
}

tlsmem_ctx *asking(int version, int insists)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST((insists ? tlsmem_ctx_require_ocsp(ctx) : tlsmem_ctx_request_ocsp(ctx)) == TLSMEM_OK);
    return ctx;
}

/** What is stapled now. */
static struct {
    unsigned char *bytes;
    size_t n;
} stapled;

static int staple(SSL *ssl, void *nothing)
{
    (void)nothing;
    void *copy = OPENSSL_memdup(stapled.bytes, stapled.n);
    MUST(copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, stapled.n) == 1);
    return SSL_TLSEXT_ERR_OK;
}

typedef struct showing {
    const char *certificate, *response; /* NULL for none; "-" for the half of a good one */
    int is_taken, insisted_is_taken;    /* by who asks, and by who insists */
    int status, reason;                 /* of the response: -2 when there is none, or none that is shown */
    const char *sentence;               /* has this in it */
} showing;

static const showing showings[] = {
    { "server", "server.good.ocsp", 1, 1, 0, -1, "good" },
    { "server", "server.delegate.ocsp", 1, 1, 0, -1, "good" },
    { "server", "server.open.ocsp", 1, 1, 0, -1, "good" },
    { "rsa", "rsa.good.ocsp", 1, 1, 0, -1, "good" },
    { "staple", "staple.good.ocsp", 1, 1, 0, -1, "good" },
    { "full", "chained.good.ocsp", 1, 1, 0, -1, "good" },
    { "server", NULL, 1, 0, -2, -1, "the server has none" },
    { "server", "server.later.ocsp", 1, 0, -1, -1, "no answer" },
    { "staple", NULL, 0, 0, -2, -1, "the server has none" },
    { "server", "server.revoked.ocsp", 0, 0, 1, 1, "revoked" },
    { "server", "server.unknown.ocsp", 0, 0, 2, -1, "does not know" },
    { "server", "server.client.ocsp", 0, 0, 0, -1, "nobody has signed it" },
    { "server", "server.stranger.ocsp", 0, 0, 0, -1, "nobody has signed it" },
    { "server", "server.expired.ocsp", 0, 0, 0, -1, "has expired" },
    { "server", "server.future.ocsp", 0, 0, 0, -1, "not valid yet" },
    { "server", "rsa.good.ocsp", 0, 0, -1, -1, "another certificate" },
    { "server", "server.twin.ocsp", 0, 0, -1, -1, "another certificate" },
    { "full", "server.good.ocsp", 0, 0, -1, -1, "another certificate" },
    { "server", "-", 0, 0, -1, -1, "cannot be parsed" },
};

static void check_facts(const showing *s, int is_taken)
{
    tlsmem_ocsp_details info = TLSMEM_OCSP_DETAILS_INIT;
    unsigned char der[8192];
    if (s->status == -2) {
        CHECK_STATUS(tlsmem_ocsp_info(client.c, &info), TLSMEM_AGAIN);
        CHECK_STATUS(tlsmem_ocsp_response(client.c, der, sizeof der), TLSMEM_AGAIN);
        return;
    }
    CHECK_STATUS(tlsmem_ocsp_info(client.c, &info), TLSMEM_OK);
    CHECK_STATUS(info.status, s->status);
    CHECK_STATUS(info.reason, s->reason);
    CHECK_STATUS(info.is_good, is_taken && s->status == 0);
    CHECK(strstr(info.sentence, s->sentence) != NULL, "\"%s\"", info.sentence);
    CHECK((info.this_update > 1700000000) == (s->status >= 0), "thisUpdate %lld", (long long)info.this_update);
    CHECK((info.revoked_at == 1735787045) == (s->status == 1), "revoked at %lld", (long long)info.revoked_at);
    CHECK_STATUS(tlsmem_ocsp_response(client.c, NULL, 0), stapled.n);
    CHECK_STATUS(tlsmem_ocsp_response(client.c, der, sizeof der), stapled.n);
    CHECK(memcmp(der, stapled.bytes, stapled.n) == 0, "the response is another");
}

/** What is shown for the certificate of the server; "-" is the half of a good response. */
static void take_response(const char *response)
{
    int is_half = strcmp(response, "-") == 0;
    stapled.bytes = contents(is_half ? "server.good.ocsp" : response, &stapled.n);
    stapled.n /= is_half ? 2 : 1;
}

static void show(const showing *s, int version, int insists)
{
    situation("%s with %s, client %s, TLS 1.%d", s->certificate, s->response ? s->response : "no response",
              insists ? "insists" : "asks", version - 0x0301);
    int is_taken = insists ? s->insisted_is_taken : s->is_taken;
    tlsmem_ctx *to = server_with(s->certificate, version), *from = asking(version, insists);
    if (s->response != NULL) {
        take_response(s->response);
        SSL_CTX_set_tlsext_status_cb(tlsmem_ctx_native(to), staple);
    }
    meet(from, to, NULL, NULL);
    tlsmem_error_info error = error_of(client.c);
    CHECK_STATUS(error.status, is_taken ? TLSMEM_OK : TLSMEM_EOCSP);
    CHECK_STATUS(error.alert_sent, is_taken ? -1 : 113);
    CHECK(is_taken || strstr(error.sentence, s->sentence) || s->status == -1, "\"%s\"", error.sentence);
    CHECK_STATUS(error_of(server.c).status, is_taken ? TLSMEM_OK : TLSMEM_EREJECTED);
    CHECK_STATUS(error_of(server.c).alert_received, is_taken ? -1 : 113);
    CHECK_STATUS(tlsmem_is_established(client.c), is_taken);
    check_facts(s, is_taken);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    free(stapled.bytes);
    stapled.bytes = NULL;
}

/** Nobody is asked, so nothing comes and nothing counts. */
static void unasked(int version)
{
    situation("a client that does not ask, TLS 1.%d", version - 0x0301);
    tlsmem_ocsp_details info = TLSMEM_OCSP_DETAILS_INIT;
    tlsmem_ctx *to = server_with("staple", version), *from = context(TLSMEM_CLIENT, version);
    CHECK_STATUS(tlsmem_ctx_set_ocsp_response(to, certificate("staple.good.ocsp")), TLSMEM_OK);
    meet(from, to, NULL, NULL);
    CHECK_STATUS(error_of(client.c).status, TLSMEM_OK);
    CHECK_STATUS(tlsmem_ocsp_info(client.c, &info), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_ocsp_info(server.c, &info), TLSMEM_AGAIN);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/**
 * Who verifies nothing knows nobody who could have signed: then no response decides anything, nor bytes that are none, or
 * everybody is refused.
 */
static void unverified(const char *response, int status, int version, int insists)
{
    situation("without verification, with %s, client %s, TLS 1.%d", response, insists ? "insists" : "asks", version - 0x0301);
    tlsmem_ocsp_details info = TLSMEM_OCSP_DETAILS_INIT;
    tlsmem_ctx *to = server_with("server", version), *from = asking(version, insists);
    MUST(tlsmem_ctx_insecure_no_verify(from) == TLSMEM_OK);
    take_response(response);
    SSL_CTX_set_tlsext_status_cb(tlsmem_ctx_native(to), staple);
    meet(from, to, NULL, NULL);
    CHECK_STATUS(error_of(client.c).status, insists ? TLSMEM_EOCSP : TLSMEM_OK);
    CHECK_STATUS(tlsmem_ocsp_info(client.c, &info), TLSMEM_OK);
    CHECK_STATUS(info.is_good, 0);
    CHECK_STATUS(info.status, status);
    CHECK(strstr(info.sentence, "was not verified") != NULL, "\"%s\"", info.sentence);
    CHECK_STATUS(tlsmem_ocsp_response(client.c, NULL, 0), stapled.n);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    free(stapled.bytes);
    stapled.bytes = NULL;
}

/** A resumed connection has no response, which who asks takes and who insists does not risk. */
static void resumed(int version)
{
    situation("resumption, TLS 1.%d", version - 0x0301);
    tlsmem_ocsp_details info = TLSMEM_OCSP_DETAILS_INIT;
    tlsmem_ctx *to = server_with("server", version), *asks = asking(version, 0), *insists = asking(version, 1);
    CHECK_STATUS(tlsmem_ctx_set_ocsp_response(to, certificate("server.good.ocsp")), TLSMEM_OK);
    meet(asks, to, NULL, NULL);
    tlsmem_session *session = tlsmem_session_get(client.c);
    MUST(session != NULL);
    part();
    meet(asks, to, NULL, session);
    CHECK_STATUS(error_of(client.c).status, TLSMEM_OK);
    CHECK_STATUS(tlsmem_is_resumed(client.c), 1);
    CHECK_STATUS(tlsmem_ocsp_info(client.c, &info), TLSMEM_AGAIN);
    part();
    tlsmem *c = connection(insists, NULL, NULL);
    CHECK_STATUS(tlsmem_session_set(c, session), TLSMEM_EOCSP);
    tlsmem_free(c);
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(asks);
    tlsmem_ctx_free(insists);
}

int main(void)
{
    begin("ocsp");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        for (size_t i = 0; i < sizeof showings / sizeof showings[0]; i++)
            for (int insists = 0; insists < 2; insists++)
                show(&showings[i], version, insists);
        unasked(version);
        for (int insists = 0; insists < 2; insists++) {
            unverified("server.good.ocsp", 0, version, insists);
            unverified("server.revoked.ocsp", 1, version, insists);
            unverified("rsa.good.ocsp", -1, version, insists);
            unverified("-", -1, version, insists);
        }
        resumed(version);
        given_by_servers(version);
        asked_for_responses(version);
    }
    return finish();
}
