/*
 * What a peer may ask of our keys is bounded: KeyUpdates beyond the burst, KeyUpdate answers that the peer never takes,
 * and renegotiation, which is refused unless both contexts allow it.
 */
#include "wire.h"

static end client, server;
static wire w;

static void open_with(int version, const tlsmem_limits *client_limits, const tlsmem_limits *server_limits,
                      int client_allows, int server_allows)
{
    tlsmem_ctx *client_ctx = context_limited(TLSMEM_CLIENT, version, client_limits);
    tlsmem_ctx *server_ctx = context_limited(TLSMEM_SERVER, version, server_limits);
    MUST(tlsmem_ctx_set_renegotiation(client_ctx, client_allows) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_renegotiation(server_ctx, server_allows) == TLSMEM_OK);
    end_open(&client, client_ctx, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, server_ctx, FACE_BUFFERS, NULL, 1, 0);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    wire_open(&w, &client, &server, (cut){ CUT_WHOLE, 0 });
    wire_establish(&w);
    wire_settle(&w);
}

static void open_pair(int version, const tlsmem_limits *client_limits, const tlsmem_limits *server_limits, int allow)
{
    open_with(version, client_limits, server_limits, (allow & 1) != 0, (allow & 2) != 0);
}

static void close_pair(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d and %d wrong callbacks", client.wrong, server.wrong);
    end_finish(&client);
    end_finish(&server);
}

/** Has `from` ask for keys again and again. Returns how often it could before the peer ended. */
static int storm(end *from, const end *against, int most, int ask_peer)
{
    int asked = 0;
    while (asked < most && !end_ended(against) && !end_ended(from)) {
        if (!CHECK_STATUS(tlsmem_key_update(from->c, ask_peer), TLSMEM_OK))
            break;
        asked++;
        wire_turn(&w);
    }
    return asked;
}

static void check_limit(const end *e, const end *peer)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK(e->closes == 1 && e->report.status == TLSMEM_ELIMIT, "on_close %d times, with %s", e->closes,
          tlsmem_status_name(e->report.status));
    CHECK_STATUS(tlsmem_error(e->c, &error), TLSMEM_OK);
    CHECK_STATUS(error.status, TLSMEM_ELIMIT);
    CHECK(strlen(error.sentence) > 0, "no sentence");
    CHECK(peer->report.status != TLSMEM_OK || peer->closes == 0, "the peer ended as if nothing had been");
}

/** A storm against limits that allow `burst` at once. */
static void update_storm(int by_client, int ask_peer, const tlsmem_limits *limits)
{
    int burst = (int)limits->update_burst;
    situation("KeyUpdate storm by the %s, burst %d, ask %d", by_client ? "client" : "server", burst, ask_peer);
    open_pair(TLSMEM_TLS1_3, limits, limits, 0);
    end *from = by_client ? &client : &server, *against = by_client ? &server : &client;
    /* Some are allowed again each second: how long a storm lasts is not known, that it is not endless is. */
    int asked = storm(from, against, 100000, ask_peer);
    CHECK(asked > burst && asked < 100000, "ended after %d, and %d are allowed at once", asked, burst);
    wire_settle(&w);
    check_limit(against, from);
    close_pair();
}

/** Answers to our own requests are not held against the peer, nor against us. */
static void own_requests(int by_client)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT, raised = TLSMEM_LIMITS_INIT;
    raised.update_burst = 1000000;
    situation("answers to our own requests, by the %s", by_client ? "client" : "server");
    open_pair(TLSMEM_TLS1_3, by_client ? &limits : &raised, by_client ? &raised : &limits, 0);
    end *from = by_client ? &client : &server, *against = by_client ? &server : &client;
    int requests = short_run() ? 1500 : 5000;
    int asked = storm(from, against, requests, 1);
    wire_settle(&w);
    CHECK(asked == requests && !end_ended(from) && !end_ended(against), "ended after %d with %s, the peer with %s", asked,
          tlsmem_status_name(failure_of(from->c)), tlsmem_status_name(failure_of(against->c)));
    close_pair();
}

/** A peer asks for 2,000 KeyUpdates and takes none of the answers. */
static void answers_not_taken(size_t control_max, int requests, int expect_limit)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT, raised = TLSMEM_LIMITS_INIT;
    situation("%d KeyUpdate requests whose answers nobody takes, control_max %zu", requests, control_max);
    raised.update_burst = 1000000;
    raised.control_max = control_max;
    open_pair(TLSMEM_TLS1_3, &limits, &raised, 0);
    w.down.cut_off = 1;
    int asked = storm(&client, &server, requests, 1);
    size_t waiting = want_of(server.c).outgoing_bytes;
    CHECK(waiting <= control_max + 1024, "%zu bytes of answers wait", waiting);
    if (expect_limit) {
        CHECK(asked < requests, "all %d were answered", requests);
        w.down.cut_off = 0;
        wire_settle(&w);
        check_limit(&server, &client);
    } else {
        CHECK(asked == requests && !end_ended(&server), "ended after %d with %s", asked,
              tlsmem_status_name(failure_of(server.c)));
    }
    close_pair();
}

static void renegotiation_refused(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    situation("renegotiation that our own context does not allow");
    open_pair(TLSMEM_TLS1_2, &limits, &limits, 0);
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_renegotiate(server.c), TLSMEM_ESTATE);
    close_pair();
    situation("renegotiation in TLS 1.3");
    open_pair(TLSMEM_TLS1_3, &limits, &limits, 3);
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_renegotiate(server.c), TLSMEM_ESTATE);
    close_pair();
    situation("KeyUpdate in TLS 1.2");
    open_pair(TLSMEM_TLS1_2, &limits, &limits, 3);
    CHECK_STATUS(tlsmem_key_update(client.c, 0), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_key_update(server.c, 1), TLSMEM_ESTATE);
    close_pair();
    for (int allowed = 1; allowed <= 2; allowed++) {
        end *asks = allowed == 1 ? &client : &server, *refuses = allowed == 1 ? &server : &client;
        situation("renegotiation asked by the %s and refused by its peer", allowed == 1 ? "client" : "server");
        open_pair(TLSMEM_TLS1_2, &limits, &limits, allowed);
        CHECK_STATUS(tlsmem_renegotiate(asks->c), TLSMEM_OK);
        wire_settle(&w);
        /* The side that refuses answers with a warning and has not failed by itself. */
        CHECK(!end_ended(refuses) || failure_of(refuses->c) == TLSMEM_OK || failure_of(refuses->c) == TLSMEM_ECIPHER
              || failure_of(refuses->c) == TLSMEM_EALERT, "%s", tlsmem_status_name(failure_of(refuses->c)));
        CHECK(tlsmem_is_established(refuses->c), "not established any more");
        CHECK(refuses->received == 0 && asks->received == 0, "plaintext came from nowhere");
        close_pair();
    }
}

/** Where one is enough, for us and for the peer: the second is refused, and data still goes both ways. */
static void renegotiation_once(int by_client, int of_asker)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    int once = TLSMEM_RENEGOTIATE_ONCE, always = TLSMEM_RENEGOTIATE_ALWAYS;
    end *asks = by_client ? &client : &server, *other = by_client ? &server : &client;
    situation("one renegotiation is enough for the %s, who %s", by_client == of_asker ? "client" : "server",
              of_asker ? "begins it" : "answers it");
    open_with(TLSMEM_TLS1_2, &limits, &limits, by_client == of_asker ? once : always, by_client == of_asker ? always : once);
    client.to_send = server.to_receive = server.to_send = client.to_receive = 100000;
    CHECK_STATUS(tlsmem_renegotiate(asks->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_renegotiate(asks->c), TLSMEM_ESTATE);
    wire_settle(&w);
    CHECK(client.received == 100000 && server.received == 100000 && !end_ended(&client) && !end_ended(&server),
          "%llu and %llu bytes came", (unsigned long long)client.received, (unsigned long long)server.received);
    CHECK_STATUS(tlsmem_renegotiate((of_asker ? asks : other)->c), TLSMEM_ESTATE);
    if (!of_asker) {
        CHECK_STATUS(tlsmem_renegotiate(asks->c), TLSMEM_OK);
        wire_settle(&w);
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        CHECK(tlsmem_error(asks->c, &error) == TLSMEM_OK && error.status == TLSMEM_EPROTOCOL && error.alert_sent == 40,
              "who was refused has %s, alert %d", tlsmem_status_name(error.status), error.alert_sent);
        CHECK(failure_of(other->c) == TLSMEM_EALERT, "who refuses has failed by itself: %s",
              tlsmem_status_name(failure_of(other->c)));
    }
    close_pair();
}

static void renegotiation_storm(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT, few = TLSMEM_LIMITS_INIT;
    situation("renegotiations by the client, burst 3");
    few.update_rate = 1;
    few.update_burst = 3;
    open_pair(TLSMEM_TLS1_2, &limits, &few, 3);
    int asked = 0;
    while (asked < 1000 && !end_ended(&server) && tlsmem_renegotiate(client.c) == TLSMEM_OK) {
        asked++;
        wire_settle(&w);
    }
    CHECK(asked > 3 && asked < 1000, "ended after %d, and 3 are allowed at once", asked);
    check_limit(&server, &client);
    close_pair();
}

int main(void)
{
    tlsmem_limits defaults = TLSMEM_LIMITS_INIT, few = TLSMEM_LIMITS_INIT;
    begin("storms");
    few.update_rate = 1;
    few.update_burst = 10;
    for (int i = 0; i < 4; i++) {
        update_storm(i & 1, i >> 1, &few);
        if (!short_run())
            update_storm(i & 1, i >> 1, &defaults);
    }
    answers_not_taken(32768, 2000, 1); /* an answer is a record of 27 bytes */
    if (!short_run()) {
        answers_not_taken(65536, 4000, 1);
        answers_not_taken(65536, 1000, 0);
        own_requests(0);
    }
    own_requests(1);
    renegotiation_refused();
    for (int i = 0; i < 4; i++)
        renegotiation_once(i & 1, i >> 1);
    renegotiation_storm();
    return finish();
}
