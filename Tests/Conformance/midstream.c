/*
 * Keys change in mid-stream, and nothing is lost or reordered: renegotiations in TLS 1.2, begun by either side and by
 * both with writes waiting on both, and 1,000 KeyUpdates in TLS 1.3; over every pair of faces, and however the wire
 * cuts. What bounds them is in storms.c.
 */
#include "wire.h"

enum { LARGE = 5 * 1024 * 1024, MEDIUM = 300 * 1000, UPDATES = 1000, RENEGOTIATIONS = 5 };
enum { BY_CLIENT = 1, BY_SERVER = 2, BY_BOTH = 3 };
static const char *const begun_by[] = { "", "client", "server", "both" };

static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *client_loop, *server_loop;

/** What one end has to do with its keys. */
typedef struct plan {
    uint64_t payload;
    int changes, wanted; /* changes of keys begun, and to be begun */
    int ask_peer;
} plan;

static void update_after_write(end *e)
{
    plan *p = e->test;
    if (p->changes < p->wanted && !end_ended(e)) {
        int status = tlsmem_key_update(e->c, p->ask_peer);
        CHECK(status == TLSMEM_OK || (status == TLSMEM_AGAIN && !want_of(e->c).accepts_plaintext),
              "tlsmem_key_update: %s", tlsmem_status_name(status));
        p->changes += status == TLSMEM_OK;
    }
}

/** Spread over what comes in. One that is under way already, begun by the peer perhaps, is waited for. */
static void renegotiate_in_time(end *e)
{
    plan *p = e->test;
    if (p->changes < p->wanted && e->received * (uint64_t)(p->wanted + 1) >= p->payload * (uint64_t)p->changes) {
        int status = tlsmem_renegotiate(e->c);
        if (status == TLSMEM_OK)
            p->changes++;
        else
            CHECK(status == TLSMEM_ESTATE, "tlsmem_renegotiate: %s", tlsmem_status_name(status));
    }
}

/** The stream begins when the handshake is done, so that all of the changes fall into it. */
static void in_stream(end *e, event what)
{
    const plan *p = e->test;
    if (what == EVENT_ESTABLISHED)
        e->to_send = p->payload;
    if (what == EVENT_DATA && e->after_write == renegotiate_in_time)
        renegotiate_in_time(e);
}

static void judge(const end *e, const char *side)
{
    CHECK(e->wrong == 0, "%s: %d wrong bytes or callbacks", side, e->wrong);
    CHECK(e->sent == e->to_send && e->received == e->to_receive, "%s: sent %llu, received %llu", side,
          (unsigned long long)e->sent, (unsigned long long)e->received);
    CHECK(e->write_status == 0, "%s: a write failed with %s", side, tlsmem_status_name(e->write_status));
    CHECK(e->established == 1 && e->closes == 1, "%s: established %d times, closed %d times", side, e->established,
          e->closes);
    CHECK(e->report.status == TLSMEM_OK && e->report.close_notify_received, "%s: ended with %s", side,
          tlsmem_status_name(e->report.status));
    CHECK(e->report.bytes_encrypted == e->to_send, "%s: encrypted %llu", side,
          (unsigned long long)e->report.bytes_encrypted);
}

static uint64_t changes_by_peer(const end *e)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    MUST(tlsmem_stats(e->c, &stats) == TLSMEM_OK);
    return stats.key_updates_in;
}

static void run(face client_face, face server_face, cut how, int by, int wanted, int ask_peer, int renegotiate)
{
    static end client, server;
    static wire w;
    plan plans[2] = { { 0, 0, 0, 0 }, { 0, 0, 0, 0 } };
    uint64_t payload = how.kind == CUT_BYTES && !renegotiate ? MEDIUM : LARGE;
    end *ends[2] = { &client, &server };

    situation("%s by %s, %s client, %s server, %s, seed %llu, %s", renegotiate ? "renegotiation" : "KeyUpdate",
              begun_by[by], face_names[client_face], face_names[server_face], cut_names[how.kind],
              (unsigned long long)how.seed, ask_peer ? "asking the peer too" : "not asking");
    end_open(&client, client_ctx, client_face, client_loop, 0, 0);
    end_open(&server, server_ctx, server_face, server_loop, 1, 0);
    for (int i = 0; i < 2; i++) {
        end *e = ends[i];
        plans[i] = (plan){ payload, 0, (by >> i & 1) != 0 ? wanted : 0, ask_peer };
        e->test = &plans[i];
        e->hook = in_stream;
        e->after_write = renegotiate ? renegotiate_in_time : update_after_write;
        e->piece = (size_t)(payload / (UPDATES + UPDATES / 4)); /* enough writes for one update each */
        e->to_receive = payload;
        e->close_when_done = 0;
    }
    wire_open(&w, &client, &server, how);
    wire_establish(&w);
    client.close_when_done = server.close_when_done = 1;
    CHECK(wire_run(&w, both_ended), "stalled: client sent %llu and received %llu, server %llu and %llu",
          (unsigned long long)client.sent, (unsigned long long)client.received, (unsigned long long)server.sent,
          (unsigned long long)server.received);
    judge(&client, "client");
    judge(&server, "server");
    for (int i = 0; i < 2; i++) {
        uint64_t seen = changes_by_peer(ends[!i]);
        CHECK(plans[i].changes == plans[i].wanted, "%d changes begun", plans[i].changes);
        /* When both begin at once, one renegotiation answers both. */
        CHECK(by == BY_BOTH || seen == (uint64_t)plans[i].wanted, "the %s counts %llu begun by its peer, which began %d",
              i == 0 ? "server" : "client", (unsigned long long)seen, plans[i].wanted);
    }
    end_finish(&client);
    end_finish(&server);
}

static void renegotiations(long seeds)
{
    /* Less than a megabyte under way, so that each renegotiation is done before the next is due. */
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 262144;
    limits.outgoing_low = 65536;
    client_ctx = context_limited(TLSMEM_CLIENT, TLSMEM_TLS1_2, &limits);
    server_ctx = context_limited(TLSMEM_SERVER, TLSMEM_TLS1_2, &limits);
    MUST(tlsmem_ctx_set_renegotiation(client_ctx, 1) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_renegotiation(server_ctx, 1) == TLSMEM_OK);
    for (int pair = 0; pair < 9; pair += short_run() ? 4 : 1)
        for (int by = BY_CLIENT; by <= BY_BOTH; by++) {
            run((face)(pair / 3), (face)(pair % 3), (cut){ CUT_WHOLE, 0 }, by, RENEGOTIATIONS, 0, 1);
            run((face)(pair / 3), (face)(pair % 3), (cut){ CUT_BYTES, 0 }, by, RENEGOTIATIONS, 0, 1);
            for (long seed = 1; seed <= seeds; seed++)
                run((face)(pair / 3), (face)(pair % 3), (cut){ CUT_SEEDED, (uint64_t)seed }, by, RENEGOTIATIONS, 0, 1);
        }
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

static void key_updates(long seeds)
{
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    for (int pair = 0; pair < 9; pair += short_run() ? 4 : 1)
        for (int by = BY_CLIENT; by <= BY_BOTH; by++) {
            int each = by == BY_BOTH ? UPDATES / 2 : UPDATES; /* 1,000 in all: update_burst is 1,024 */
            run((face)(pair / 3), (face)(pair % 3), (cut){ CUT_BYTES, 0 }, by, each, (pair + by) % 2, 0);
            for (int ask = 0; ask < 2; ask++) {
                run((face)(pair / 3), (face)(pair % 3), (cut){ CUT_WHOLE, 0 }, by, each, ask, 0);
                for (long seed = 1; seed <= seeds; seed++)
                    run((face)(pair / 3), (face)(pair % 3), (cut){ CUT_SEEDED, (uint64_t)seed }, by, each, ask, 0);
            }
        }
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

int main(void)
{
    begin("midstream");
    long seeds = setting("MIDSTREAM_SEEDS", 3);
    client_loop = new_loop();
    server_loop = new_loop();
    MUST(client_loop != NULL && server_loop != NULL);
    renegotiations(seeds);
    key_updates(seeds);
    tlsmem_loop_free(client_loop);
    tlsmem_loop_free(server_loop);
    return finish();
}
