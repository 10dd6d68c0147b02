/*
 * Early data that the server refuses goes out again by itself, as ordinary data and in front of the rest; and what the calls
 * refuse.
 */
#include "early.h"

#include <openssl/ssl.h>
#include <time.h>

/** A client with a session of the first server comes to the other, which reads the same tickets or does not. */
static void refuse(const char *why, tlsmem_ctx *from, tlsmem_ctx *first, tlsmem_ctx *then, size_t size)
{
    for (face f = FACE_BUFFERS; f <= FACE_REGISTRY; f++) {
        tlsmem_session *session = early_session(from, first);
        situation("refused: %s, %s", why, face_names[f]);
        early_open(from, then, f, f, 1);
        early_offer(session);
        CHECK(early_write(size) == size, "not all was taken");
        early_run(20000);
        tlsmem_session_free(early_end(TLSMEM_EARLY_REJECTED));
    }
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(first);
    tlsmem_ctx_free(then);
}

static tlsmem_ctx *with_protocols(tlsmem_ctx *ctx, const char *list)
{
    MUST(tlsmem_ctx_set_alpn(ctx, list) == TLSMEM_OK);
    return ctx;
}

static tlsmem_ctx *client_context(void) { return context(TLSMEM_CLIENT, 0); }

static tlsmem_ctx *never_heard_of_it(void)
{
    tlsmem_ctx *ctx = early_server(0, 1), *plain = context(TLSMEM_SERVER, 0);
    unsigned char keys[80];
    MUST(SSL_CTX_get_tlsext_ticket_keys((SSL_CTX *)tlsmem_ctx_native(ctx), keys, sizeof keys) == 1);
    MUST(SSL_CTX_set_tlsext_ticket_keys((SSL_CTX *)tlsmem_ctx_native(plain), keys, sizeof keys) == 1);
    tlsmem_ctx_free(ctx);
    return plain;
}

static tlsmem_ctx *with_other_groups(void)
{
    tlsmem_ctx *ctx = early_server(100000, 1);
    MUST(tlsmem_ctx_set_groups(ctx, "P-384") == TLSMEM_OK);
    return ctx;
}

static void refusals(void)
{
    refuse("switched off", client_context(), early_server(100000, 1), early_server(0, 1), 30000);
    refuse("never heard of", client_context(), early_server(100000, 1), never_heard_of_it(), 16000);
    refuse("less is taken now", client_context(), early_server(100000, 1), early_server(99999, 1), 100000);
    refuse("the key is gone", client_context(), early_server(30000, 0), early_server(30000, 0), 30000);
    refuse("another key share", client_context(), early_server(100000, 1), with_other_groups(), 30000);
}

/** What was written for one protocol is not sent again where another is spoken, nor is what is behind it (RFC 8446, 4.2.10). */
static void another_protocol(const char *before, const char *now)
{
    tlsmem_ctx *from = with_protocols(client_context(), "one,two");
    tlsmem_ctx *first = with_protocols(early_server(1000, 1), before), *then = with_protocols(early_server(1000, 1), now);
    for (face f = FACE_BUFFERS; f <= FACE_REGISTRY; f++) {
        tlsmem_session *session = early_session(from, first);
        situation("refused: another protocol, \"%s\" and then \"%s\", %s", before, now, face_names[f]);
        early_open(from, then, f, f, 1);
        early_offer(session);
        CHECK(early_write(1000) == 1000, "not all was taken");
        client.to_send = 3000;
        server.close_on_eof = 1;
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        CHECK_ENDED(client, TLSMEM_EALPN);
        CHECK(client.established == 0, "the client was told that it is established");
        CHECK(server.received == 0 && seen.calls == 0, "%llu bytes were sent again", (unsigned long long)server.received);
        early_free();
    }
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(first);
    tlsmem_ctx_free(then);
}

/** The session as the client's OpenSSL has it, before the handshake. */
static SSL_SESSION *session_of_client(void)
{
    SSL_SESSION *session = SSL_get_session((SSL *)tlsmem_native(client.c));
    MUST(session != NULL);
    return session;
}

/** The client says that its ticket is a minute old. */
static void wrong_age(tlsmem_ctx *from, tlsmem_ctx *to)
{
    tlsmem_session *session = early_session(from, to);
    situation("refused: as old as it is not");
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
    early_offer(session);
    SSL_SESSION_set_time(session_of_client(), (long)time(NULL) - 60);
    CHECK(early_write(100) == 100, "not all was taken");
    early_run(100);
    tlsmem_session_free(early_end(TLSMEM_EARLY_REJECTED));
}

/** A client that sends more than its ticket allows has broken the protocol. */
static void too_much(tlsmem_ctx *from, tlsmem_ctx *to)
{
    for (int knows = 0; knows < 2; knows++) {
        tlsmem_session *session = early_session(from, to);
        situation("more than is allowed, %s", knows ? "shown" : "kept");
        early_open(from, to, FACE_FD, FACE_FD, knows);
        early_offer(session);
        SSL_SESSION_set_max_early_data(session_of_client(), 100000);
        CHECK(early_write(50000) == 50000, "not all was taken");
        client.to_send = 50000;
        CHECK(wire_run(&pair_wire, both_ended), "stalled");
        CHECK_ENDED(server, TLSMEM_EPROTOCOL);
        CHECK_ENDED(client, TLSMEM_EALERT);
        CHECK(server.received <= 1000, "%llu bytes were shown", (unsigned long long)server.received);
        early_free();
    }
}

/** A server that has gone back to TLS 1.2 is not gone on with (RFC 8446, D.3): OpenSSL would send it a record that has eight
 *  bytes of unwritten memory in it. */
static void gone_back(tlsmem_ctx *from, tlsmem_ctx *to)
{
    tlsmem_ctx *older = context(TLSMEM_SERVER, TLSMEM_TLS1_2);
    tlsmem_session *session = early_session(from, to);
    situation("to a server that has gone back to TLS 1.2");
    early_open(from, older, FACE_FD, FACE_FD, 1);
    early_offer(session);
    CHECK(early_write(1000) == 1000, "not all was taken");
    client.to_send = 1000;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(server, TLSMEM_EVERSION);
    CHECK_ENDED(client, TLSMEM_EVERSION);
    CHECK(server.received == 0 && seen.calls == 0, "it was shown");
    early_free();
    tlsmem_ctx_free(older);
}

/** What tlsmem_write_early says, and that nothing has changed: the handshake goes well. */
static void says(tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session *session, const char *name, ptrdiff_t expected)
{
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
    if (name != NULL)
        MUST(tlsmem_set_server_name(client.c, name) == TLSMEM_OK);
    if (session != NULL)
        early_offer(session);
    CHECK_STATUS(tlsmem_write_early(client.c, "?", 1), expected);
    early_run(10);
    CHECK(tlsmem_early_data_status(client.c) == TLSMEM_EARLY_NONE, "some was sent");
    tlsmem_session_free(early_end(TLSMEM_EARLY_NONE));
}

static void write_refused(tlsmem_ctx *from, tlsmem_ctx *to)
{
    situation("what cannot be written early");
    says(from, to, NULL, NULL, TLSMEM_ESESSION);
    tlsmem_ctx *none = early_server(0, 0);
    says(from, none, early_session(from, none), NULL, TLSMEM_ESESSION);
    tlsmem_ctx *older = context(TLSMEM_SERVER, TLSMEM_TLS1_2);
    says(from, older, early_session(from, older), NULL, TLSMEM_ESESSION);
    says(from, to, early_session(from, to), "LOCALHOST", TLSMEM_EHOST);
    tlsmem_ctx *one = with_protocols(client_context(), "one"), *two = with_protocols(client_context(), "two,on");
    tlsmem_ctx *both = with_protocols(early_server(1000, 0), "one,two");
    says(two, both, early_session(one, both), NULL, TLSMEM_EALPN);
    tlsmem_ctx_free(none);
    tlsmem_ctx_free(older);
    tlsmem_ctx_free(one);
    tlsmem_ctx_free(two);
    tlsmem_ctx_free(both);
}

/** When it is too late, or too much; and what is not possible any more after it. */
static void write_states(tlsmem_ctx *from, tlsmem_ctx *to)
{
    char bytes[2000] = { 0 };
    tlsmem_session *session = early_session(from, to);
    situation("when early data can be written");
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
    CHECK_STATUS(tlsmem_write_early(server.c, "?", 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_read_early(client.c, bytes, 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_read_early(server.c, bytes, 1), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    CHECK_STATUS(tlsmem_write_early(client.c, NULL, 0), 0);
    CHECK(early_write(600) == 600 && early_write(600) == 400 && early_write(1) == 0, "another size than 1000");
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_ESTATE);
    client.to_send = client.sent + 1;
    end_step(&client);
    CHECK_STATUS(tlsmem_write_early(client.c, bytes, 1), TLSMEM_ESTATE);
    early_run(10);
    CHECK_STATUS(tlsmem_write_early(client.c, bytes, 1), TLSMEM_CLOSED);
    CHECK_STATUS(tlsmem_read_early(server.c, bytes, 1), TLSMEM_ESTATE);
    tlsmem_session_free(early_end(TLSMEM_EARLY_ACCEPTED));

    for (int how = 0; how < 3; how++) {
        early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
        CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
        if (how == 0)
            CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_AGAIN);
        else if (how == 1)
            CHECK_STATUS(tlsmem_close_write(client.c), TLSMEM_OK);
        else
            CHECK_STATUS(tlsmem_write(client.c, bytes, 1), 1);
        CHECK_STATUS(tlsmem_write_early(client.c, bytes, 1), TLSMEM_ESTATE);
        early_free();
    }
    tlsmem_session_free(session);
}

/** It counts against outgoing_max, as everything that waits. */
static void no_room(tlsmem_ctx *to)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 32768;
    limits.outgoing_low = 1000;
    tlsmem_ctx *from = context_limited(TLSMEM_CLIENT, 0, &limits);
    tlsmem_session *session = early_session(from, to);
    situation("more than outgoing_max");
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
    early_offer(session);
    size_t taken = early_write(100000);
    CHECK(taken > 30000 && taken < 32768 && early_write(1) == 0, "%zu", taken);
    early_run(20000);
    tlsmem_session_free(early_end(TLSMEM_EARLY_ACCEPTED));
    tlsmem_ctx_free(from);
}

void early_is_refused(void)
{
    tlsmem_ctx *from = client_context(), *to = early_server(1000, 1), *much = early_server(100000, 1);
    refusals();
    another_protocol("one", "two");
    another_protocol("one", "");
    another_protocol("", "one");
    wrong_age(from, to);
    too_much(from, to);
    gone_back(from, to);
    write_refused(from, to);
    write_states(from, to);
    no_room(much);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(much);
}
