/*
 * A server's connection that changes to another context (tlsmem_set_ctx) trusts as that one does, in everything: nothing of
 * the context that it began with makes it more lenient, or stricter, nor does a session of a third.
 */
#include "trust.h"

static int version;
static tlsmem_ctx *target;

static int change(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)hello;
    (void)user;
    CHECK_STATUS(tlsmem_set_ctx(c, target), TLSMEM_OK);
    return TLSMEM_OK;
}

static tlsmem_ctx *new_front(void)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(tlsmem_ctx_set_client_hello_cb(ctx, change, NULL) == TLSMEM_OK);
    return ctx;
}

/** Requires certificates of the corpus's root, or asks for none. */
static tlsmem_ctx *new_target(int requires)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("corpus/root.pem")) == TLSMEM_OK);
    MUST(!requires || tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *client_with(const char *name)
{
    char file[64];
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    snprintf(file, sizeof file, "corpus/%s.pem", name);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "corpus/%s.key", name);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
    return ctx;
}

/** Somebody comes by way of a context to the target. */
static void comes_by(tlsmem_ctx *front, const char *name, int expected)
{
    tlsmem_ctx *from = client_with(name);
    target = new_target(1);
    meet(from, front, NULL, NULL);
    CHECK(error_of(server.c).status == expected, "%s: %s (%s)", name, tlsmem_status_name(error_of(server.c).status),
          error_of(server.c).sentence);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(target);
}

static void from_lenient(void)
{
    situation("from a lenient context to one that is not, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *front = new_front();
    without_scruples(front);
    MUST(tlsmem_ctx_set_purpose(front, TLSMEM_PURPOSE_INSECURE_ANY) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_partial_chain(front, 1) == TLSMEM_OK);
    comes_by(front, "client-good", TLSMEM_OK);
    comes_by(front, "client-for-servers", TLSMEM_EVERIFY);
    comes_by(front, "client-self-signed", TLSMEM_EVERIFY);
    tlsmem_ctx_free(front);
}

static void from_strict(void)
{
    situation("from a strict context to one that is less, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *front = new_front();
    MUST(tlsmem_ctx_set_verify_depth(front, 0) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_crl_check(front, TLSMEM_CRL_CHAIN) == TLSMEM_OK);
    pin(front, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    comes_by(front, "client-chained", TLSMEM_OK);
    tlsmem_ctx_free(front);
}

/** All tickets are of the context that the connections begin with; what they are good for is their context's matter. */
static void with_session(void)
{
    situation("a session of another target, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *front = new_front(), *from = context(TLSMEM_CLIENT, version);
    tlsmem_ctx *open = new_target(0), *closed = new_target(1);
    target = open;
    meet(from, front, NULL, NULL);
    CHECK_STATUS(failure_of(server.c), TLSMEM_OK);
    tlsmem_session *session = tlsmem_session_get(client.c);
    MUST(session != NULL);
    part();
    meet(from, front, NULL, session);
    CHECK_STATUS(failure_of(server.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_is_resumed(server.c), 1);
    part();
    target = closed;
    meet(from, front, NULL, session);
    CHECK_STATUS(failure_of(server.c), TLSMEM_ENOCERT);
    part();
    tlsmem_session_free(session);
    tlsmem_ctx_free(front);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(open);
    tlsmem_ctx_free(closed);
}

void changes_of_trust(int of_version)
{
    version = of_version;
    from_lenient();
    from_strict();
    with_session();
}
