/*
 * A server asks for the client's certificate in the middle of a connection of TLS 1.3 (RFC 8446, 4.6.2): while data goes both
 * ways, over every pair of faces; what comes of it, and where it cannot be asked.
 */
#include "postauth.h"

int told;
void (*inside)(end *e);

void on_done(tlsmem *c, void *user)
{
    end *e = user;
    CHECK(c == e->c && !end_ended(e), "called for something else, or too late");
    told++;
    e->activity++;
    if (inside != NULL)
        inside(e);
}

tlsmem_ctx *asking(tlsmem_verify verify, int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, verify) == TLSMEM_OK);
    return ctx;
}

tlsmem_ctx *asked(const char *name, int offers, int version)
{
    char cert[64], key[64];
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    if (name != NULL) {
        snprintf(cert, sizeof cert, "%s.pem", name);
        snprintf(key, sizeof key, "%s.key", name);
        MUST(tlsmem_ctx_set_cert_file(ctx, certificate(cert)) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_key_file(ctx, certificate(key)) == TLSMEM_OK);
    }
    MUST(tlsmem_ctx_set_post_handshake_auth(ctx, offers) == TLSMEM_OK);
    return ctx;
}

static void begin_pair(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, tlsmem_loop *loops[2],
                       const tlsmem_session *session)
{
    told = 0;
    inside = NULL;
    end_open(&client, from, client_face, loops[0], 0, 0);
    end_open(&server, to, server_face, loops[1], 1, 0);
    if (session != NULL)
        MUST(tlsmem_session_set(client.c, session) == TLSMEM_OK);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_SEEDED, 3 });
}

void meet(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *session)
{
    tlsmem_loop *none[2] = { NULL, NULL };
    begin_pair(from, to, FACE_BUFFERS, FACE_BUFFERS, none, session);
    wire_establish(&pair_wire);
}

void part(uint64_t bytes)
{
    client.to_send = client.to_receive = server.to_send = server.to_receive = bytes;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK(client.report.status == TLSMEM_OK && server.report.status == TLSMEM_OK, "ended with %s and %s",
          tlsmem_status_name(client.report.status), tlsmem_status_name(server.report.status));
}

void leave(tlsmem_ctx *from, tlsmem_ctx *to)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d and %d wrong", client.wrong, server.wrong);
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

void check_client(const char *expected)
{
    char subject[64] = "";
    ptrdiff_t n = tlsmem_peer_subject(server.c, subject, sizeof subject);
    CHECK(strcmp(subject, expected) == 0 && (n > 0) == (expected[0] != 0), "the client is \"%s\", expected \"%s\"", subject,
          expected);
    tlsmem_verify_details found = TLSMEM_VERIFY_DETAILS_INIT;
    CHECK_STATUS(tlsmem_verify_result(server.c, &found), expected[0] != 0 ? TLSMEM_OK : TLSMEM_AGAIN);
    CHECK_STATUS(found.result, 0);
}

/* ---- in the middle of streams */

static void ask_in_stream(end *e)
{
    if (e->sent >= 100000 && e->test == NULL && !end_ended(e)) {
        check_client("");
        CHECK_STATUS(tlsmem_request_certificate(e->c, on_done, e), TLSMEM_OK);
        CHECK_STATUS(tlsmem_request_certificate(e->c, on_done, e), TLSMEM_ESTATE);
        e->test = e;
    }
}

/* Nobody is anybody before done was called, and data that was sent behind the answer comes after it. */
static void watch(end *e, event what)
{
    if (what == EVENT_DATA && !end_ended(e))
        check_client(told > 0 ? "CN=test client" : "");
}

static void in_streams(face client_face, face server_face, tlsmem_loop *loops[2])
{
    situation("in the middle of streams: %s client, %s server", face_names[client_face], face_names[server_face]);
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
    begin_pair(from, to, client_face, server_face, loops, NULL);
    server.after_write = ask_in_stream;
    server.hook = watch;
    server.piece = client.piece = 10000;
    wire_establish(&pair_wire);
    part(2000000);
    CHECK(told == 1, "told %d times", told);
    CHECK(client.received == 2000000 && server.received == 2000000, "%llu and %llu bytes",
          (unsigned long long)client.received, (unsigned long long)server.received);
    check_client("CN=test client");
    leave(from, to);
}

/** The client is nobody until the last byte of its answer: it has shown a certificate, and not yet proven that it is its own. */
static void byte_by_byte(void)
{
    situation("an answer that comes byte by byte");
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
    meet(from, to, NULL);
    CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
    wire_turn(&pair_wire);
    pair_wire.how = (cut){ CUT_BYTES, 0 };
    pair_wire.bytewise_most = 1 << 20;
    uint64_t turns = 0;
    for (; told == 0 && turns < 10000; turns++) {
        check_client("");
        CHECK_STATUS(tlsmem_peer_verified_chain(server.c, 0, NULL, 0), TLSMEM_AGAIN);
        wire_turn(&pair_wire);
    }
    CHECK(told == 1 && turns > 5, "told %d times, after %d turns", told, (int)turns);
    check_client("CN=test client");
    part(100);
    leave(from, to);
}

/* ---- what comes of it */

static void answers(tlsmem_verify verify, const char *name, int status, int alert, int at_client, const char *who)
{
    situation("tlsmem_verify %d, the client has %s", (int)verify, name != NULL ? name : "no certificate");
    tlsmem_ctx *from = asked(name, 1, TLSMEM_TLS1_3), *to = asking(verify, TLSMEM_TLS1_3);
    meet(from, to, NULL);
    CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
    wire_settle(&pair_wire);
    if (status == TLSMEM_OK) {
        CHECK(told == 1, "told %d times", told);
        check_client(who);
        CHECK_STATUS(tlsmem_request_certificate(server.c, NULL, NULL), TLSMEM_OK); /* once more, and nobody is told */
        wire_settle(&pair_wire);
        part(100);
        check_client(who);
    } else {
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        CHECK(told == 0, "told %d times", told);
        CHECK(tlsmem_error(server.c, &error) == TLSMEM_OK && error.status == status && error.alert_sent == alert,
              "the server has %s, alert %d", tlsmem_status_name(error.status), error.alert_sent);
        CHECK_ENDED(server, status);
        CHECK_ENDED(client, at_client);
    }
    leave(from, to);
}

static void cannot_be_asked(void)
{
    static const struct { const char *what; int offers, version, verify; } table[] = {
        { "who has not offered it", 0, TLSMEM_TLS1_3, TLSMEM_VERIFY_LATER },
        { "TLS 1.2", 1, TLSMEM_TLS1_2, TLSMEM_VERIFY_OPTIONAL },
        { "where nobody is verified", 1, TLSMEM_TLS1_3, TLSMEM_VERIFY_NONE },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        situation("cannot be asked: %s", table[i].what);
        tlsmem_ctx *from = asked("client", table[i].offers, table[i].version);
        tlsmem_ctx *to = asking((tlsmem_verify)table[i].verify, table[i].version);
        tlsmem_loop *none[2] = { NULL, NULL };
        begin_pair(from, to, FACE_BUFFERS, FACE_BUFFERS, none, NULL);
        CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_ESTATE); /* too early */
        wire_establish(&pair_wire);
        CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_request_certificate(client.c, on_done, &client), TLSMEM_ESTATE);
        part(1000);
        CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_ESTATE); /* too late */
        CHECK(told == 0, "told %d times", told);
        leave(from, to);
    }
    situation("TLS 1.2, which asks in the handshake");
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_2), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_2);
    meet(from, to, NULL);
    check_client("CN=test client");
    part(10);
    leave(from, to);
}

/** A server that asks again and again makes its client sign each time: as often as the client's limits say. */
static void too_often(void)
{
    situation("asked too often");
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
    limits.update_rate = 1;
    limits.update_burst = 5;
    MUST(tlsmem_ctx_set_limits(from, &limits) == TLSMEM_OK);
    meet(from, to, NULL);
    int times = 0;
    while (times < 1000 && !end_ended(&client) && tlsmem_request_certificate(server.c, on_done, &server) == TLSMEM_OK) {
        wire_settle(&pair_wire);
        times++;
    }
    CHECK(times > 5 && times < 1000, "asked %d times", times);
    CHECK_STATUS(failure_of(client.c), TLSMEM_ELIMIT);
    leave(from, to);
}

/** Sessions from before stand for nobody, those from after it for the client. */
static void sessions(void)
{
    tlsmem_ctx *from = asked("client", 1, TLSMEM_TLS1_3), *to = asking(TLSMEM_VERIFY_LATER, TLSMEM_TLS1_3);
    tlsmem_session *before = NULL, *after = NULL;
    situation("sessions");
    meet(from, to, NULL);
    server.to_send = client.to_receive = 10;
    wire_settle(&pair_wire);
    before = tlsmem_session_get(client.c);
    CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
    wire_settle(&pair_wire);
    part(20);
    after = tlsmem_session_get(client.c);
    MUST(before != NULL && after != NULL);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++) {
        meet(from, to, i == 0 ? before : after);
        CHECK_STATUS(tlsmem_is_resumed(client.c), 1);
        check_client(i == 0 ? "" : "CN=test client");
        CHECK_STATUS(tlsmem_request_certificate(server.c, on_done, &server), TLSMEM_OK);
        wire_settle(&pair_wire);
        check_client("CN=test client");
        part(10);
        end_finish(&client);
        end_finish(&server);
    }
    tlsmem_session_free(before);
    tlsmem_session_free(after);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

int main(void)
{
    begin("postauth");
    tlsmem_loop *loops[2] = { new_loop(), new_loop() };
    MUST(loops[0] != NULL && loops[1] != NULL);
    for (int pair = 0; pair < 9; pair += short_run() ? 4 : 1)
        in_streams((face)(pair / 3), (face)(pair % 3), loops);
    byte_by_byte();
    answers(TLSMEM_VERIFY_LATER, "client", TLSMEM_OK, -1, TLSMEM_OK, "CN=test client");
    answers(TLSMEM_VERIFY_LATER, NULL, TLSMEM_ENOCERT, 116, TLSMEM_EREJECTED, "");
    answers(TLSMEM_VERIFY_LATER, "expired-client", TLSMEM_EEXPIRED, 45, TLSMEM_EREJECTED, "");
    answers(TLSMEM_VERIFY_LATER, "selfsigned", TLSMEM_EVERIFY, 48, TLSMEM_EREJECTED, "");
    answers(TLSMEM_VERIFY_LATER, "server", TLSMEM_EVERIFY, 43, TLSMEM_EREJECTED, "");
    answers(TLSMEM_VERIFY_OPTIONAL, NULL, TLSMEM_OK, -1, TLSMEM_OK, "");
    cannot_be_asked();
    verdicts();
    ends_in_the_callback();
    no_answer();
    too_often();
    sessions();
    tlsmem_loop_free(loops[0]);
    tlsmem_loop_free(loops[1]);
    return finish();
}
