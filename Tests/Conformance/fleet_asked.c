/* Servers that are not given the keys of tickets, and ask for one when a ticket comes that it has sealed. */
#include "fleet.h"

static int version;
static const known_key a = { 0xa1, -10, 600, 1200 }, b = { 0xb2, -5, 600, 1200 };
static struct {
    int times, status, adds;
    size_t length;
    unsigned char byte; /* what the secret is made of */
} store;
static tlsmem_ctx *asker;

static int on_ticket_key(tlsmem *c, const tlsmem_ticket_key_request *request, void *user)
{
    unsigned char secret[65];
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    CHECK(user == &store && request->size == sizeof *request && request->name[0] == request->name[15], "not what was sent");
    CHECK_STATUS(want_of(c).waits_for, TLSMEM_QUESTION_TICKET_KEY);
    store.times++;
    if (store.adds) {
        tlsmem_ticket_key key = key_of((known_key){ request->name[0], -10, 600, 1200 });
        CHECK_STATUS(tlsmem_ctx_add_ticket_key(asker, &key), TLSMEM_OK);
    }
    memset(secret, store.byte, sizeof secret);
    reply.bytes = secret;
    reply.length = store.length;
    CHECK_STATUS(tlsmem_answer(c, request->token, store.status, &reply), TLSMEM_OK);
    return TLSMEM_LATER;
}

static tlsmem_ctx *asking(tlsmem_ctx *ctx)
{
    MUST(tlsmem_ctx_set_ticket_key_cb(ctx, on_ticket_key, &store) == TLSMEM_OK);
    return asker = ctx;
}

/** Has the store answer so from now on. */
static void answers(int status, unsigned char byte, size_t length)
{
    store.times = store.adds = 0;
    store.status = status;
    store.byte = byte;
    store.length = length;
}

/** A ticket is opened by the answer, and by no other; it is replaced where a key seals. */
static void good_and_bad(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *sealer = server_with_keys(version, &a, 1);
    tlsmem_ctx *bare = asking(context(TLSMEM_SERVER, version)), *other = asking(server_with_keys(version, &b, 1));
    tlsmem_session *session = visit(from, sealer, NULL, 0), *next;
    situation("a ticket of a key that is asked for, TLS 1.%d", version - 0x0301);
    answers(TLSMEM_OK, a.byte, 64);
    next = visit(from, bare, session, 1);
    CHECK(next == NULL || version == TLSMEM_TLS1_2, "a ticket, and no key that seals");
    tlsmem_session_free(next);
    next = visit(from, other, session, 1);
    MUST(next != NULL);
    CHECK_STATUS(store.times, 2);
    tlsmem_session_free(visit(from, other, next, 1)); /* sealed by its own */
    CHECK_STATUS(store.times, 2);
    tlsmem_session_free(next);
    tlsmem_session_free(visit(from, sealer, session, 1)); /* what was answered has changed nothing */
    static const struct { int status; unsigned char byte; size_t length; } bad[] = {
        { TLSMEM_OK, 0x5a, 64 }, { TLSMEM_OK, 0xa1, 63 }, { TLSMEM_OK, 0xa1, 65 }, { TLSMEM_OK, 0, 0 }, { TLSMEM_EINVAL, 0xa1, 64 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        situation("an answer that is none, %zu, TLS 1.%d", i, version - 0x0301);
        answers(bad[i].status, bad[i].byte, bad[i].length);
        tlsmem_session_free(visit(from, bare, session, 0));
        tlsmem_session_free(visit(from, other, session, 0));
        CHECK_STATUS(store.times, 2);
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(sealer);
    tlsmem_ctx_free(bare);
    tlsmem_ctx_free(other);
    tlsmem_ctx_free(from);
}

/** Whoever adds the key is not asked again. */
static void added(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *sealer = server_with_keys(version, &a, 1);
    tlsmem_ctx *to = asking(context(TLSMEM_SERVER, version));
    tlsmem_session *session = visit(from, sealer, NULL, 0), *next;
    situation("a key that is added when it is asked for, TLS 1.%d", version - 0x0301);
    answers(TLSMEM_OK, a.byte, 64);
    store.adds = 1;
    for (int i = 0; i < 3; i++) {
        next = visit(from, to, session, 1);
        MUST(next != NULL); /* it seals, too */
        tlsmem_session_free(session);
        session = next;
        CHECK_STATUS(store.times, 1);
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(sealer);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/** A client that is asked for another key share sends its ticket twice; whoever wants to keep servers busy, two hundred. */
static void many_tickets(void)
{
    static unsigned char hello[16384];
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *sealer = server_with_keys(version, &a, 1);
    tlsmem_ctx *to = asking(context(TLSMEM_SERVER, version));
    tlsmem_session *session = visit(from, sealer, NULL, 0);
    situation("one ticket in two ClientHellos");
    MUST(tlsmem_ctx_set_groups(to, "P-384") == TLSMEM_OK);
    answers(TLSMEM_OK, a.byte, 64);
    tlsmem_session_free(visit(from, to, session, 1));
    CHECK_STATUS(store.times, 1);
    tlsmem_session_free(session);

    situation("one ClientHello with two hundred tickets of keys that are asked for");
    tlsmem_ctx *other = asking(context(TLSMEM_SERVER, version));
    answers(TLSMEM_EINVAL, 0, 0);
    size_t n = hello_with_tickets(hello, 200);
    tlsmem *c = connection(other, NULL, NULL);
    CHECK_STATUS(tlsmem_feed(c, hello, n), (long)n);
    CHECK(store.times > 1 && store.times <= 8, "asked for %d keys", store.times);
    CHECK(state_of(c) == TLSMEM_STATE_HANDSHAKING && want_of(c).outgoing_bytes > 500, "state %d", (int)state_of(c));
    tlsmem_free(c);
    tlsmem_ctx_free(other);
    tlsmem_ctx_free(sealer);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

/** A context with the callback may be given keys at work, and takes over those of the context whose place it takes. */
static void at_work(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = asking(context(TLSMEM_SERVER, version));
    tlsmem_ticket_key key = key_of(a);
    situation("keys come and stay where a callback is set, TLS 1.%d", version - 0x0301);
    answers(TLSMEM_EINVAL, 0, 0);
    tlsmem_session_free(visit(from, to, NULL, 0));
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &key), TLSMEM_OK);
    tlsmem_session *session = visit(from, to, NULL, 0);
    MUST(session != NULL);
    CHECK_STATUS(tlsmem_ctx_reload(to, asking(context(TLSMEM_SERVER, version))), TLSMEM_OK);
    tlsmem_ctx_free(asker);
    tlsmem_session_free(visit(from, to, session, 1));
    CHECK_STATUS(store.times, 0);
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    CHECK_STATUS(tlsmem_ctx_set_ticket_key_cb(from, on_ticket_key, NULL), TLSMEM_ESTATE);
    tlsmem_ctx_free(from);
    tlsmem_ctx *client = context(TLSMEM_CLIENT, version);
    CHECK_STATUS(tlsmem_ctx_set_ticket_key_cb(client, on_ticket_key, NULL), TLSMEM_ECONFIG);
    tlsmem_ctx_free(client);
}

void fleet_asked(int of_version)
{
    version = of_version;
    good_and_bad();
    added();
    if (version == TLSMEM_TLS1_3)
        many_tickets();
    at_work();
}
