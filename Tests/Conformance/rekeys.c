/*
 * The key that we send with in TLS 1.3 is changed after so many bytes, or seconds, by itself: in the middle of streams both
 * ways, over every pair of faces. That it is changed after 2^24 records, too, is tried in Tests/TLSEngineTests with fewer.
 */
#include "../FaultyKernel/false_clock.h"
#include "wire.h"

enum { STREAM = 1000 * 1000, EACH = 100 * 1000 };

static end client, server;
static wire w;

static tlsmem_ctx *changing(tlsmem_role role, int version, uint64_t bytes, uint32_t seconds)
{
    tlsmem_ctx *ctx = context(role, version);
    MUST(tlsmem_ctx_set_key_update(ctx, bytes, seconds) == TLSMEM_OK);
    tlsmem_limits limits = TLSMEM_LIMITS_INIT; /* neither takes the other back */
    MUST(tlsmem_ctx_set_limits(ctx, &limits) == TLSMEM_OK);
    return ctx;
}

/** How many keys the peer of e has changed. */
static int changed(const end *e)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    MUST(tlsmem_stats(e->c, &stats) == TLSMEM_OK);
    return (int)stats.key_updates_in;
}

static void meet(face client_face, face server_face, int version, uint64_t bytes, uint32_t seconds, tlsmem_loop *loops[2])
{
    tlsmem_ctx *from = changing(TLSMEM_CLIENT, version, bytes, seconds);
    tlsmem_ctx *to = changing(TLSMEM_SERVER, version, bytes, seconds);
    end_open(&client, from, client_face, loops[0], 0, 0);
    end_open(&server, to, server_face, loops[1], 1, 0);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    wire_open(&w, &client, &server, (cut){ CUT_SEEDED, 7 });
    wire_establish(&w);
}

static void leave(void)
{
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&w, both_ended), "stalled: %llu and %llu bytes came", (unsigned long long)client.received,
          (unsigned long long)server.received);
    CHECK(client.report.status == TLSMEM_OK && server.report.status == TLSMEM_OK && client.wrong == 0 && server.wrong == 0
          && client.received == client.to_receive && server.received == server.to_receive, "ended with %s and %s",
          tlsmem_status_name(client.report.status), tlsmem_status_name(server.report.status));
    end_finish(&client);
    end_finish(&server);
}

static void after_bytes(face client_face, face server_face, int version, size_t piece, tlsmem_loop *loops[2])
{
    situation("TLS 1.%d, after %d bytes, in pieces of %zu, %s client, %s server", version - 0x0301, EACH, piece,
              face_names[client_face], face_names[server_face]);
    meet(client_face, server_face, version, EACH, 0, loops);
    client.piece = server.piece = piece;
    client.to_send = server.to_receive = server.to_send = client.to_receive = STREAM;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&w, both_ended), "stalled");
    /* What one call writes may be more than that. */
    int least = version == TLSMEM_TLS1_2 ? 0 : STREAM / (EACH + (int)piece) - 1, most = version == TLSMEM_TLS1_2 ? 0 : 10;
    CHECK(changed(&client) >= least && changed(&client) <= most && changed(&server) >= least && changed(&server) <= most,
          "the server changed its key %d times, the client %d times, not %d to %d", changed(&client), changed(&server), least,
          most);
    leave();
}

static void after_seconds(tlsmem_loop *loops[2])
{
    situation("after two seconds, if anything was sent");
    meet(FACE_FD, FACE_FD, TLSMEM_TLS1_3, 0, 2, loops);
    false_clock(1);
    static const struct { int passes, sends, expected; } table[] = {
        { 0, 1, 0 }, { 1000, 1, 0 }, { 1500, 1, 1 }, { 500, 1, 1 }, { 1400, 0, 1 }, { 5000, 1, 2 }, { 60000, 0, 2 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        false_clock_forward(table[i].passes);
        if (table[i].sends) {
            client.to_send += 100, server.to_receive += 100;
            wire_settle(&w);
        }
        CHECK(changed(&server) == table[i].expected, "row %zu: the client changed its key %d times", i, changed(&server));
    }
    false_clock(0);
    leave();
}

static void by_default(tlsmem_loop *loops[2])
{
    situation("not by default");
    meet(FACE_BUFFERS, FACE_BUFFERS, TLSMEM_TLS1_3, 0, 0, loops);
    client.to_send = server.to_receive = server.to_send = client.to_receive = STREAM;
    wire_settle(&w);
    CHECK(changed(&client) == 0 && changed(&server) == 0, "%d and %d times", changed(&client), changed(&server));
    leave();
}

int main(void)
{
    begin("rekeys");
    tlsmem_loop *loops[2] = { new_loop(), new_loop() };
    MUST(loops[0] != NULL && loops[1] != NULL);
    for (int pair = 0; pair < 9; pair += short_run() ? 4 : 1)
        for (size_t piece = 1000; piece <= 64000; piece *= 64)
            after_bytes((face)(pair / 3), (face)(pair % 3), TLSMEM_TLS1_3, piece, loops);
    after_bytes(FACE_BUFFERS, FACE_BUFFERS, TLSMEM_TLS1_2, 1000, loops);
    after_seconds(loops);
    by_default(loops);
    tlsmem_loop_free(loops[0]);
    tlsmem_loop_free(loops[1]);
    return finish();
}
