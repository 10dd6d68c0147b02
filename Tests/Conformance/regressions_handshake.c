/*
 * Renegotiation in TLS 1.2, which may not take anybody's data with it.
 */
#include "regressions.h"

static const ends renegotiable = { .version = TLSMEM_TLS1_2, .renegotiation = 1 };

static void renegotiates_after_the_close(void)
{
    establish_ends(&renegotiable);
    CHECK_STATUS(tlsmem_close_write(server.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(client.eofs == 1, "on_eof %d times", client.eofs);
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_ESTATE);
    say(&client, 5);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_DELIVERED(client, server);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    close_ends();
}

/** The peer's close_notify crosses our ClientHello, which it will never answer. */
static void closed_during_a_renegotiation(void)
{
    establish_ends(&renegotiable);
    pair_wire.up.cut_off = 1;
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    say(&client, 5);
    CHECK(want_of(client.c).deferred_bytes == 5, "%zu bytes deferred", want_of(client.c).deferred_bytes);
    CHECK_STATUS(tlsmem_close_write(server.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_ENDED(client, TLSMEM_EHANDSHAKEEOF);
    close_ends();
}

static void unanswered_renegotiation(void)
{
    establish_ends(&renegotiable);
    pair_wire.up.cut_off = 1;
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    say(&client, 5);
    wire_settle(&pair_wire);
    int64_t deadline = tlsmem_deadline(client.c);
    CHECK(deadline > tlsmem_now(), "the deadline is %lld", (long long)deadline);
    CHECK_STATUS(tlsmem_tick(client.c, deadline), TLSMEM_ETIMEOUT);
    CHECK_ENDED(client, TLSMEM_ETIMEOUT);
    close_ends();

    establish_ends(&renegotiable);
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(tlsmem_deadline(client.c) == -1, "a deadline is left when it is done");
    close_ends();
}

/** The server asks, writes the rest and closes its direction, while the client still writes. */
static void asked_and_closed(face face, uint64_t seed)
{
    tlsmem_loop *loop = face == FACE_REGISTRY ? new_loop() : NULL;
    ends how = renegotiable;
    how.client_face = how.server_face = face;
    how.loop = loop;
    establish_ends(&how);
    pair_wire.how = (cut){ CUT_SEEDED, seed };
    pair_wire.up.random.state = seed * 2;
    pair_wire.down.random.state = seed * 2 + 1;
    client.close_on_eof = 1;
    client.piece = 1000;
    client.to_send = 58000;
    for (uint64_t turn = 0; turn < seed % 7; turn++)
        wire_turn(&pair_wire);
    CHECK_STATUS(tlsmem_renegotiate(server.c), TLSMEM_OK);
    say(&server, 60000);
    CHECK_STATUS(tlsmem_close_write(server.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "seed %d, %s: stalled, %zu bytes deferred", (int)seed, face_names[face],
          want_of(client.c).deferred_bytes);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    close_ends();
    tlsmem_loop_free(loop);
}

static void asks_and_closes(void)
{
    for (uint64_t seed = 0; seed < 21; seed += short_run() ? 7 : 1)
        asked_and_closed((face)(seed % 3), seed);
}

/** The smallest form of it: three bytes, and the close on their heels. */
static void asks_and_closes_at_once(void)
{
    establish_ends(&renegotiable);
    client.close_on_eof = 1;
    CHECK_STATUS(tlsmem_renegotiate(server.c), TLSMEM_OK);
    say(&server, 3);
    CHECK_STATUS(tlsmem_close_write(server.c), TLSMEM_OK);
    say(&client, 100);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    close_ends();
}

/** Both sides begin, the client while half of the HelloRequest's record has come. */
static void half_a_record(size_t half)
{
    unsigned char request[256];
    establish_ends(&renegotiable);
    CHECK_STATUS(tlsmem_renegotiate(server.c), TLSMEM_OK);
    ptrdiff_t length = end_take(&server, request, sizeof request);
    MUST(length > 0 && (size_t)length > half);
    MUST(end_give(&client, request, half) == half);
    /* It has begun, or the server's request has been noticed already. */
    int begun = tlsmem_renegotiate(client.c);
    CHECK(begun == TLSMEM_OK || begun == TLSMEM_ESTATE, "tlsmem_renegotiate: %s", tlsmem_status_name(begun));
    say(&server, 5);
    say(&client, 7);
    MUST(end_give(&client, request + half, (size_t)length - half) == (size_t)length - half);
    wire_settle(&pair_wire);
    CHECK(client.received == 5 && server.received == 7, "cut at %zu: the client received %d, the server %d", half,
          (int)client.received, (int)server.received);
    server.close_on_eof = 1;
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "cut at %zu: stalled", half);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    close_ends();
}

static void renegotiates_within_a_record(void)
{
    for (size_t half = 1; half < 33; half += short_run() ? 8 : 1)
        half_a_record(half);
}

/** The client's close_notify crosses the HelloRequest. */
static void asks_who_has_closed(void)
{
    establish_ends(&renegotiable);
    pair_wire.down.cut_off = 1;
    CHECK_STATUS(tlsmem_renegotiate(server.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(server.eofs == 1, "on_eof %d times", server.eofs);
    say(&server, 5);
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    pair_wire.down.cut_off = 0;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(server, client);
    close_ends();
}

static void renegotiates_twice(void)
{
    for (int role = 0; role < 2; role++) {
        establish_ends(&renegotiable);
        end *e = role == 0 ? &client : &server;
        CHECK_STATUS(tlsmem_renegotiate(e->c), TLSMEM_OK);
        CHECK_STATUS(tlsmem_renegotiate(e->c), TLSMEM_ESTATE);
        wire_settle(&pair_wire);
        CHECK_STATUS(tlsmem_renegotiate(e->c), TLSMEM_OK);
        wire_settle(&pair_wire);
        CHECK(failure_of(client.c) == TLSMEM_OK && failure_of(server.c) == TLSMEM_OK, "it failed");
        close_ends();
    }
}

/** Behind close_notify nothing may come (RFC 8446, 6.1): a peer that has closed, too, would leave it unread, and reset. */
static void answers_behind_its_close_notify(void)
{
    for (int waits = 0; waits < 2; waits++) {
        unsigned char records[65536];
        establish_ends(&(ends){ .version = TLSMEM_TLS1_3 });
        CHECK_STATUS(tlsmem_close_write(client.c), TLSMEM_OK);
        if (!waits)
            wire_settle(&pair_wire);
        CHECK_STATUS(tlsmem_key_update(server.c, 1), TLSMEM_OK);
        say(&server, 100);
        ptrdiff_t n = end_take(&server, records, sizeof records);
        MUST(n > 0);
        uint64_t before = report_of(client.c).ciphertext_sent + want_of(client.c).outgoing_bytes;
        CHECK(end_give(&client, records, (size_t)n) == (size_t)n, "not all was taken");
        uint64_t after = report_of(client.c).ciphertext_sent + want_of(client.c).outgoing_bytes;
        CHECK(after == before, "%d bytes more are to go out", (int)(after - before));
        CHECK(client.received == 100, "%d bytes came", (int)client.received);
        say(&server, 1000);
        CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
        wire_settle(&pair_wire);
        CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
        wire_settle(&pair_wire);
        CHECK_ENDED(client, TLSMEM_OK);
        CHECK_ENDED(server, TLSMEM_OK);
        CHECK_DELIVERED(server, client);
        close_ends();
    }
}

static int goes_on_elsewhere(tlsmem *c, const tlsmem_client_hello *hello, void *elsewhere)
{
    (void)hello;
    if (tlsmem_is_established(c))
        CHECK_STATUS(tlsmem_set_ctx(c, elsewhere), TLSMEM_OK);
    return TLSMEM_OK;
}

/** A renegotiation that fails as soon as the ClientHello was read leaves OpenSSL without a cipher. */
static void asked_after_a_failed_renegotiation(void)
{
    situation("asked about its signature after a failed renegotiation");
    tlsmem_ctx *contexts[] = { context(TLSMEM_CLIENT, TLSMEM_TLS1_2), context(TLSMEM_SERVER, TLSMEM_TLS1_2) };
    tlsmem_ctx *elsewhere = context(TLSMEM_SERVER, TLSMEM_TLS1_2);
    for (int i = 0; i < 2; i++) {
        MUST(tlsmem_ctx_set_renegotiation(contexts[i], TLSMEM_RENEGOTIATE_ALWAYS) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_ciphers(contexts[i], "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") == TLSMEM_OK);
    }
    MUST(tlsmem_ctx_set_renegotiation(elsewhere, TLSMEM_RENEGOTIATE_ALWAYS) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ciphers(elsewhere, "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384") == TLSMEM_OK);
    MUST(tlsmem_ctx_set_client_hello_cb(contexts[1], goes_on_elsewhere, elsewhere) == TLSMEM_OK);
    tlsmem_pair *pair = tlsmem_pair_new(contexts[0], contexts[1]);
    MUST(pair != NULL && tlsmem_set_server_name(tlsmem_pair_end(pair, 0), "localhost") == TLSMEM_OK);
    tlsmem *asked = tlsmem_pair_end(pair, 1);
    IGNORE(tlsmem_pair_run(pair, 1000));
    CHECK(tlsmem_own_signature_id(asked) != 0, "it has not signed");
    CHECK_STATUS(tlsmem_renegotiate(tlsmem_pair_end(pair, 0)), TLSMEM_OK);
    IGNORE(tlsmem_pair_run(pair, 20000));
    CHECK_STATUS(failure_of(asked), TLSMEM_ECIPHER);
    CHECK(tlsmem_own_signature_id(asked) == 0, "it has signed with %#x", tlsmem_own_signature_id(asked));
    CHECK(tlsmem_own_signature_name(asked)[0] == 0, "it has signed with %s", tlsmem_own_signature_name(asked));
    tlsmem_pair_free(pair);
    tlsmem_ctx_free(contexts[0]), tlsmem_ctx_free(contexts[1]), tlsmem_ctx_free(elsewhere);
}

static uint64_t new_keys_of_the_peer(const tlsmem *c)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_stats(c, &stats), TLSMEM_OK);
    return stats.key_updates_in;
}

/** What a cork holds back, and what waits for the handshake, was counted as sent with the key of that moment. */
static void changes_an_unused_key(void)
{
    static const char text[40000];
    tlsmem_ctx *contexts[] = { context(TLSMEM_CLIENT, TLSMEM_TLS1_3), context(TLSMEM_SERVER, TLSMEM_TLS1_3) };
    MUST(tlsmem_ctx_set_key_update(contexts[0], 10000, 0) == TLSMEM_OK);
    for (int waits = 0; waits < 2; waits++) {
        situation("an unused key, and %s", waits ? "40000 bytes that wait for the handshake" : "a cork");
        tlsmem_pair *pair = tlsmem_pair_new(contexts[0], contexts[1]);
        MUST(pair != NULL && tlsmem_set_server_name(tlsmem_pair_end(pair, 0), "localhost") == TLSMEM_OK);
        tlsmem *client = tlsmem_pair_end(pair, 0), *server = tlsmem_pair_end(pair, 1);
        if (waits)
            CHECK_STATUS(tlsmem_write(client, text, sizeof text), sizeof text);
        IGNORE(tlsmem_pair_run(pair, 1000));
        MUST(tlsmem_is_established(client) && tlsmem_is_established(server));
        if (waits) { /* after each of two records of 16384 bytes */
            CHECK(new_keys_of_the_peer(server) == 2, "%d new keys for 40000 bytes", (int)new_keys_of_the_peer(server));
        } else {
            CHECK_STATUS(tlsmem_cork(client), TLSMEM_OK);
            for (int i = 0; i < 4; i++)
                CHECK_STATUS(tlsmem_write(client, text, 3000), 3000);
            CHECK_STATUS(tlsmem_write(server, text, 1), 1);
            IGNORE(tlsmem_pair_run(pair, 2000));
            CHECK(new_keys_of_the_peer(server) == 0, "the first key was changed before anything was sent with it");
            CHECK_STATUS(tlsmem_uncork(client), TLSMEM_OK);
            CHECK_STATUS(tlsmem_write(client, text, 1), 1);
            IGNORE(tlsmem_pair_run(pair, 3000));
            CHECK(new_keys_of_the_peer(server) == 1, "%d new keys after 12001 bytes", (int)new_keys_of_the_peer(server));
        }
        tlsmem_pair_free(pair);
    }
    tlsmem_ctx_free(contexts[0]), tlsmem_ctx_free(contexts[1]);
}

const regression handshake_regressions[] = {
    { "answers a KeyUpdate behind its own close_notify", answers_behind_its_close_notify },
    { "renegotiates after the peer's close, and can write no more", renegotiates_after_the_close },
    { "stays stuck when the peer closes during a renegotiation", closed_during_a_renegotiation },
    { "waits for ever for the answer to a renegotiation", unanswered_renegotiation },
    { "loses what is written when the peer asks for a renegotiation and closes", asks_and_closes },
    { "closes before the renegotiation that it asked for is answered", asks_and_closes_at_once },
    { "fails when it renegotiates while half a record is there", renegotiates_within_a_record },
    { "says OK to a second renegotiation while one is under way", renegotiates_twice },
    { "waits with its close for a renegotiation of a client that has closed", asks_who_has_closed },
    { "crashes when it is asked about its signature after a renegotiation that has failed", asked_after_a_failed_renegotiation },
    { "counts what is held back as sent with the key of that moment", changes_an_unused_key },
    { NULL, NULL }
};
