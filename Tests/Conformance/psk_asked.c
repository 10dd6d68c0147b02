/*
 * Programs that say which keys they have (tlsmem_ctx_set_psk_cb), on either side: at once, later, none, and what is no key.
 */
#include "psk.h"

#include <openssl/ssl.h>

typedef struct party {
    const char *identity, *key; /* what it says; NULL for none */
    size_t n;
    int is_late;
    int times;
    tlsmem *c;
    uint64_t token;
    char asked[256], hint[256];
} party;

static int version;
static party clients, servers;
static const char key[] = "0123456789abcdef0123456789ABCDEF", other_key[] = "another key that nobody else has";

static int answer(const party *p)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    reply.bytes = p->key;
    reply.length = p->key != NULL ? p->n : 0;
    reply.identity = p->identity;
    return tlsmem_answer(p->c, p->token, TLSMEM_OK, &reply);
}

static int on_psk(tlsmem *c, const tlsmem_psk_request *asked, void *user)
{
    party *p = user;
    CHECK(asked->size == sizeof *asked && (asked->identity != NULL) == (p == &servers), "the request of another side");
    snprintf(p->asked, sizeof p->asked, "%s", asked->identity != NULL ? asked->identity : "");
    snprintf(p->hint, sizeof p->hint, "%s", asked->hint != NULL ? asked->hint : "");
    p->times++;
    p->c = c;
    p->token = asked->token;
    if (p->key == NULL && !p->is_late)
        return TLSMEM_OK;
    if (!p->is_late)
        CHECK_STATUS(answer(p), TLSMEM_OK);
    return TLSMEM_LATER;
}

static tlsmem_ctx *asking(tlsmem_role role, int min)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(tlsmem_ctx_set_min_version(ctx, min) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_psk_cb(ctx, on_psk, role == TLSMEM_CLIENT ? &clients : &servers), TLSMEM_OK);
    return ctx;
}

static void say(party *p, const char *identity, const char *bytes, size_t n, int is_late)
{
    *p = (party){ .identity = identity, .key = bytes, .n = n, .is_late = is_late };
}

static void answer_late(party *p)
{
    if (!p->is_late)
        return;
    wire_settle(&pair_wire);
    MUST(p->times == 1);
    CHECK_STATUS(want_of(p->c).waits_for, TLSMEM_QUESTION_PSK);
    CHECK_STATUS(answer(p), TLSMEM_OK);
    IGNORE(tlsmem_handshake(p->c));
}

static void meet_answered(tlsmem_ctx *from, tlsmem_ctx *to)
{
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    answer_late(&clients);
    answer_late(&servers);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 100;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

static void check_known(const char *identity)
{
    const end *const ends[] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        const char *said = tlsmem_psk_identity(ends[i]->c);
        CHECK_STATUS(failure_of(ends[i]->c), TLSMEM_OK);
        CHECK(said != NULL && strcmp(said, identity) == 0, "identity %s", said != NULL ? said : "none");
    }
    CHECK_STATUS(clients.times, 1);
    CHECK_STATUS(servers.times, 1);
    CHECK(strcmp(servers.asked, identity) == 0, "asked for %s", servers.asked);
}

static void good(void)
{
    for (int late = 0; late < 2; late++) {
        situation("both are asked, and answer %s, TLS 1.%d", late ? "later" : "at once", version - 0x0301);
        tlsmem_ctx *from = asking(TLSMEM_CLIENT, version), *to = asking(TLSMEM_SERVER, version);
        MUST(SSL_CTX_use_psk_identity_hint(tlsmem_ctx_native(to), "who are you") == 1);
        say(&clients, "a", key, 32, late);
        say(&servers, NULL, key, 32, late);
        meet_answered(from, to);
        check_known("a");
        CHECK(strcmp(clients.hint, version == TLSMEM_TLS1_2 ? "who are you" : "") == 0, "hint %s", clients.hint);
        part();
        tlsmem_ctx_free(from);
        tlsmem_ctx_free(to);
    }
}

/** The server wants another share: the client sends its ClientHello again, and nobody is asked again. */
static void second_hello(void)
{
    situation("a second ClientHello, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *from = asking(TLSMEM_CLIENT, version), *to = asking(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_groups(from, "X25519:P-256") == TLSMEM_OK && tlsmem_ctx_set_groups(to, "P-256") == TLSMEM_OK);
    say(&clients, "a", key, 32, 0);
    say(&servers, NULL, key, 32, 0);
    meet_answered(from, to);
    check_known("a");
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** What a function was given is not asked about. */
static void known_before(void)
{
    situation("keys that are set, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *from = asking(TLSMEM_CLIENT, version), *to = asking(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_psk(from, "a", key, 32) == TLSMEM_OK && tlsmem_ctx_set_psk(to, "a", key, 32) == TLSMEM_OK);
    say(&clients, "b", other_key, 32, 0);
    say(&servers, NULL, other_key, 32, 0);
    meet_answered(from, to);
    CHECK_STATUS(failure_of(client.c), TLSMEM_OK);
    CHECK(clients.times == 0 && servers.times == 0, "asked: %d, %d", clients.times, servers.times);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** Who is asked no more goes by certificates, as if it had never been asked. */
static void taken_back(void)
{
    situation("a callback that is taken back, TLS 1.%d", version - 0x0301);
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    for (int i = 0; i < 2; i++) {
        MUST(tlsmem_ctx_set_psk_cb(from, i == 0 ? on_psk : NULL, &clients) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_psk_cb(to, i == 0 ? on_psk : NULL, &servers) == TLSMEM_OK);
    }
    say(&clients, "a", key, 32, 0);
    say(&servers, NULL, key, 32, 0);
    meet_answered(from, to);
    CHECK_STATUS(failure_of(client.c), TLSMEM_OK);
    CHECK(tlsmem_is_established(server.c) && tlsmem_peer_certificate(client.c, NULL, 0) > 0, "not by certificates");
    CHECK(clients.times == 0 && servers.times == 0, "asked: %d, %d", clients.times, servers.times);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void bad(void)
{
    situation("no keys, TLS 1.%d", version - 0x0301);
    int is_1_3 = version == TLSMEM_TLS1_3;
    struct { const char *key; size_t n; int status, alert; } of_server[] = {
        { other_key, 32, is_1_3 ? TLSMEM_EPSK : TLSMEM_EPROTOCOL, is_1_3 ? 47 : 20 },
        { NULL, 0, is_1_3 ? TLSMEM_ECIPHER : TLSMEM_EPROTOCOL, is_1_3 ? 40 : 20 },
        { key, 15, is_1_3 ? TLSMEM_ECIPHER : TLSMEM_EPROTOCOL, is_1_3 ? 40 : 20 },
    };
    tlsmem_ctx *from = asking(TLSMEM_CLIENT, version), *to = asking(TLSMEM_SERVER, version);
    for (int late = 0; late < 2; late++)
        for (int i = 0; i < 3; i++) {
            say(&clients, "a", key, 32, 0);
            say(&servers, NULL, of_server[i].key, of_server[i].n, late);
            meet_answered(from, to);
            CHECK_STATUS(error_of(server.c).status, of_server[i].status);
            CHECK_STATUS(error_of(server.c).alert_sent, alert_for_wrong_key(of_server[i].alert));
            CHECK_STATUS(servers.times, 1);
            part();
        }
    for (int i = 0; i < 3; i++) { /* a client that has none, an empty name, or too short a key */
        say(&clients, i == 1 ? "" : "a", i == 0 ? NULL : key, i == 2 ? 15 : 32, 0);
        say(&servers, NULL, key, 32, 0);
        meet_answered(from, to);
        CHECK(failure_of(client.c) != TLSMEM_OK && !tlsmem_is_established(server.c), "it was let in");
        CHECK_STATUS(servers.times, 0);
        part();
    }
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** A client that speaks both is asked twice: before it knows the version, and with the hint. */
static void both_versions(void)
{
    situation("a client of both versions, a server of TLS 1.2");
    tlsmem_ctx *to = asking(TLSMEM_SERVER, TLSMEM_TLS1_2);
    version = TLSMEM_TLS1_3;
    tlsmem_ctx *from = asking(TLSMEM_CLIENT, TLSMEM_TLS1_2);
    say(&clients, "a", NULL, 0, 0);
    say(&servers, NULL, key, 32, 0);
    meet_answered(from, to);
    CHECK_STATUS(clients.times, 2);
    CHECK(failure_of(client.c) != TLSMEM_OK, "without a key");
    part();
    say(&clients, "a", key, 32, 0);
    say(&servers, NULL, key, 32, 0);
    meet_answered(from, to);
    check_known("a");
    part();
    version = TLSMEM_TLS1_2;
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

void asked_for_keys(int of_version)
{
    version = of_version;
    good();
    second_hello();
    known_before();
    taken_back();
    bad();
    if (version == TLSMEM_TLS1_2)
        both_versions();
}
