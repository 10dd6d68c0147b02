/*
 * A context is put in place of another while connections are made of it: what is refused leaves everything as it was, those
 * that are there keep what they have, and under load no handshake fails and each connection has one whole configuration.
 */
#define _GNU_SOURCE
#include "reloads.h"

#include <time.h>

const char *const responses[2] = { "server.good.ocsp", "rsa.good.ocsp" };
const int key_bytes[2] = { 0xa1, 0xb2 };

/** That of the other only opens. Whatever a line lacks makes the whole text bad. */
static int set_ticket_keys(tlsmem_ctx *ctx, int which, int lacks_times)
{
    char text[1024] = "", *at = text;
    long long now = (long long)time(NULL), since = now - 3600;
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 80; k++)
            at += sprintf(at, "%02x", key_bytes[i]);
        at += lacks_times && i == 1 ? sprintf(at, "\n")
            : sprintf(at, " %lld %lld %lld\n", since, i == which ? now + 3600 : since + 1, now + 3600);
    }
    return tlsmem_ctx_set_ticket_keys_mem(ctx, text, strlen(text));
}

/** Number `which` of two configurations: certificate and application protocol say which it is, and clients must show one. */
tlsmem_ctx *configured(int which, int flaw)
{
    static const char *const certificates[2] = { "server.pem", "rsa.pem" }, *const keys[2] = { "server.key", "rsa.key" };
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    int good = tlsmem_ctx_set_cert_file(ctx, certificate(flaw == FLAW_NO_FILE ? "nothing.pem" : certificates[which])) == TLSMEM_OK
        && tlsmem_ctx_set_key_file(ctx, certificate(keys[flaw == FLAW_OTHER_KEY ? !which : which])) == TLSMEM_OK
        && tlsmem_ctx_set_alpn(ctx, which == 0 ? "zero" : "one") == TLSMEM_OK
        && tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK;
    good = good && set_ticket_keys(ctx, which, flaw == FLAW_BAD_KEYS) == TLSMEM_OK
        && tlsmem_ctx_set_ocsp_response(ctx, certificate(responses[flaw == FLAW_OTHER_RESPONSE ? !which : which])) == TLSMEM_OK;
    if (good && flaw != FLAW_NO_TRUST)
        good = tlsmem_ctx_set_ca_file(ctx, certificate(flaw == FLAW_BAD_CA ? "server.key" : "ca.pem")) == TLSMEM_OK
            && (which == 0 || tlsmem_ctx_set_ca_file(ctx, certificate("other-ca.pem")) == TLSMEM_OK);
    if (good)
        return ctx;
    tlsmem_ctx_free(ctx);
    return NULL;
}

static tlsmem_ctx *client_context(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate("client.key")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_alpn(ctx, "one,zero") == TLSMEM_OK && tlsmem_ctx_request_ocsp(ctx) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx_stats_info stats_of(const tlsmem_ctx *ctx)
{
    tlsmem_ctx_stats_info stats = TLSMEM_CTX_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_ctx_stats(ctx, &stats), TLSMEM_OK);
    return stats;
}

#define CHECK_STATS(ctx, number, of_it, older)                                                                          \
    do {                                                                                                                \
        tlsmem_ctx_stats_info now = stats_of(ctx);                                                                      \
        CHECK(now.generation == (number) && now.connections == (of_it) && now.connections_old == (older),               \
              "generation %d, %d connections, %d older", (int)now.generation, (int)now.connections, (int)now.connections_old); \
    } while (0)

static void open_pair(tlsmem_ctx *from, tlsmem_ctx *to)
{
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 1 });
    client.to_send = client.to_receive = server.to_send = server.to_receive = 1000;
    client.close_when_done = server.close_on_eof = 1;
}

static void finish_pair(const char *protocol, uint64_t generation)
{
    const char *name = "";
    size_t n = 0;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_STATUS(tlsmem_alpn(client.c, &name, &n), TLSMEM_OK);
    CHECK(n == strlen(protocol) && memcmp(name, protocol, n) == 0, "the protocol is %.*s", (int)n, name);
    CHECK(tlsmem_generation(server.c) == generation, "generation %d", (int)tlsmem_generation(server.c));
    end_finish(&client);
    end_finish(&server);
}

/** One that has begun keeps what it has; the next one has the new. */
static void keeps_what_it_has(int version)
{
    situation("version %x: a connection keeps its configuration", (unsigned)version);
    tlsmem_ctx *ctx = configured(0, FLAW_NONE), *fresh = configured(1, FLAW_NONE), *from = client_context(version);
    open_pair(from, ctx);
    CHECK_STATS(ctx, 1, 1, 0);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, fresh), TLSMEM_OK);
    CHECK_STATS(ctx, 2, 0, 1);
    tlsmem_ctx_free(fresh);
    finish_pair("zero", 1);
    CHECK_STATS(ctx, 2, 0, 0);
    open_pair(from, ctx);
    CHECK_STATS(ctx, 2, 1, 0);
    finish_pair("one", 2);
    fresh = configured(0, FLAW_NONE);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, fresh), TLSMEM_OK);
    tlsmem_ctx_free(fresh);
    open_pair(from, ctx);
    finish_pair("zero", 3);
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(from);
}

static void is_refused(void)
{
    situation("what is refused leaves the old one in place");
    tlsmem_ctx *ctx = configured(0, FLAW_NONE), *used = configured(1, FLAW_NONE), *from = client_context(0);
    tlsmem_ctx *nobody = tlsmem_ctx_new(TLSMEM_SERVER), *trustless = configured(1, FLAW_NO_TRUST);
    tlsmem *c = connection(used, NULL, NULL);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_reload(NULL, ctx), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, ctx), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, from), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, used), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, nobody), TLSMEM_ENOIDENTITY);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, trustless), TLSMEM_ENOTRUST);
    CHECK(tlsmem_generation(NULL) == 0 && tlsmem_generation(c) == 1, "another generation");
    CHECK_STATS(ctx, 1, 0, 0);
    tlsmem_ctx *fresh = configured(1, FLAW_NONE), *last = configured(0, FLAW_NONE);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, fresh), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_reload(last, fresh), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_reload(last, ctx), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_reload(fresh, last), TLSMEM_ESTATE); /* who has ctx would not hear of it */
    CHECK_STATUS(tlsmem_ctx_set_alpn(ctx, "two"), TLSMEM_ESTATE);
    CHECK_STATS(ctx, 2, 0, 0);
    tlsmem_free(c);
    tlsmem_ctx *const all[] = { ctx, used, from, nobody, trustless, fresh, last };
    for (int i = 0; i < 7; i++)
        tlsmem_ctx_free(all[i]);
}

/** The context may be freed while a connection of a later generation goes on. */
static void is_freed_first(void)
{
    situation("a context that was reloaded is freed before its connections");
    tlsmem_ctx *ctx = configured(0, FLAW_NONE), *fresh = configured(1, FLAW_NONE), *from = client_context(0);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, fresh), TLSMEM_OK);
    tlsmem_ctx_free(fresh);
    open_pair(from, ctx);
    tlsmem_ctx_free(ctx);
    finish_pair("one", 2);
    tlsmem_ctx_free(from);
}

/** A ticket that was given out before is taken after, where the same decides about clients. */
static void tickets_go_on(int version)
{
    situation("version %x: a ticket of the generation before is taken", (unsigned)version);
    tlsmem_ctx *ctx = configured(0, FLAW_NONE), *fresh = configured(0, FLAW_NONE), *from = client_context(version);
    open_pair(from, ctx);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    tlsmem_session *session = tlsmem_session_get(client.c);
    MUST(session != NULL);
    end_finish(&client);
    end_finish(&server);
    CHECK_STATUS(tlsmem_ctx_reload(ctx, fresh), TLSMEM_OK);
    open_pair(from, ctx);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(tlsmem_is_resumed(client.c) == 1, "a full handshake");
    finish_pair("zero", 2);
    tlsmem_session_free(session);
    tlsmem_ctx_free(fresh);
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(from);
}

int main(void)
{
    begin("reloads");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        keeps_what_it_has(version);
        tickets_go_on(version);
    }
    is_refused();
    is_freed_first();
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        tlsmem_ctx *from = client_context(version);
        reloads_under_load(from, version);
        tlsmem_ctx_free(from);
    }
    return finish();
}
