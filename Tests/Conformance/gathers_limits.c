/*
 * What is gathered counts: against outgoing_max, as congestion, and for on_drain.
 */
#define _GNU_SOURCE
#include "gathers.h"

/** Writes n at a time until no more is taken, and sees that no limit is passed on the way. Returns the bytes. */
static uint64_t fill(end *e, size_t n, size_t most)
{
    static unsigned char bytes[16384];
    uint64_t before = e->sent;
    ptrdiff_t taken = (ptrdiff_t)n;
    while (taken == (ptrdiff_t)n) {
        pattern_fill(bytes, e->stream, e->sent, n);
        taken = tlsmem_write(e->c, bytes, n);
        e->to_send = e->sent += taken > 0 ? (uint64_t)taken : 0;
        tlsmem_want_info want = want_of(e->c);
        if (!CHECK(want.outgoing_bytes + want.deferred_bytes <= most, "%zu and %zu wait, %zu may", want.outgoing_bytes,
                   want.deferred_bytes, most))
            break;
    }
    CHECK(taken > 0 || taken == TLSMEM_AGAIN, "ended with %s", tlsmem_status_name((int)taken));
    e->drain_owed = 1;
    return e->sent - before;
}

static const size_t pieces[] = { 1, 100, 4095, 4096, 10000 };
static size_t piece;
static uint64_t filled;

static void fill_inside(end *e)
{
    filled = fill(e, piece, 40000);
    CHECK_STATUS(tlsmem_write(e->c, "x", 1), TLSMEM_AGAIN);
    CHECK(!want_of(e->c).accepts_plaintext, "it would take more");
}

static void full(const scene *s)
{
    for (size_t i = short_run() ? 1 : 0; i < sizeof pieces / sizeof *pieces; i++)
        for (int way = 0; way < 3; way++) {
            piece = pieces[i];
            pair_establish(s);
            situation("outgoing_max, %zu at a time, %s: %s client, TLS 1.%d", piece,
                      way == 0 ? "in a callback" : way == 1 ? "corked" : "outside", face_names[s->client_face],
                      s->version - 0x0301);
            pair_wire.up.cut_off = 1;
            if (way == 1)
                MUST(tlsmem_cork(client.c) == TLSMEM_OK);
            if (way == 0) {
                in_on_data(fill_inside);
            } else {
                filled = fill(&client, piece, 40000);
            }
            CHECK(filled > (piece == 1 && way == 2 ? 500 : 20000), "%llu have room", (unsigned long long)filled);
            if (way == 1)
                MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
            client.drain_owed = 1;
            pair_wire.up.cut_off = 0;
            wire_settle(&pair_wire);
            CHECK_ARRIVED(client, server);
            CHECK(client.drains == 1 && !client.drain_owed, "on_drain %d times", client.drains);
            put(&client, 10);
            wire_settle(&pair_wire);
            CHECK_ARRIVED(client, server);
            pair_close();
        }
}

/** The same under a cork that stays: who was told to wait for on_drain does not wait for his own cork. */
static void drains_corked(const scene *s)
{
    pair_establish(s);
    MUST(tlsmem_cork(client.c) == TLSMEM_OK);
    pair_wire.up.cut_off = 1;
    fill(&client, 1000, 40000);
    pair_wire.up.cut_off = 0;
    wire_settle(&pair_wire);
    CHECK(client.drains == 1, "on_drain %d times", client.drains);
    CHECK_ARRIVED(client, server);
    put(&client, 100);
    wire_settle(&pair_wire);
    CHECK(held(&client) == 100, "%zu are held", held(&client)); /* it is a cork all the same */
    MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);
    pair_close();
}

static void congest(end *e)
{
    put(e, 900);
    CHECK(!tlsmem_is_congested(e->c), "congested with 900 bytes");
    put(e, 200);
    CHECK(tlsmem_is_congested(e->c), "not congested with 1100 bytes");
    CHECK(want_of(e->c).congested, "not congested in the snapshot");
    e->drain_owed = 1;
}

/** Gathered bytes congest as others do, and on_drain follows in the same turn when the transport takes them. */
static void congestion(const scene *s)
{
    pair_establish(s);
    in_on_data(congest);
    wire_settle(&pair_wire);
    CHECK(client.drains == 1 && !tlsmem_is_congested(client.c), "on_drain %d times", client.drains);
    MUST(tlsmem_cork(client.c) == TLSMEM_OK);
    congest(&client);
    MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(client.drains == 2 && !tlsmem_is_congested(client.c), "on_drain %d times", client.drains);
    CHECK_ARRIVED(client, server);
    pair_close();
}

/** One who fills it up in each on_drain goes on until all is there. */
static void producer(const scene *s)
{
    pair_establish(s);
    client.piece = 777;
    client.to_send = 3000000;
    wire_settle(&pair_wire);
    CHECK(client.sent == 3000000, "%llu were taken", (unsigned long long)client.sent);
    CHECK_ARRIVED(client, server);
    pair_close();
}

void gathers_limits(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 40000;
    limits.outgoing_low = 16384;
    limits.outgoing_high = 40000;
    every_face("outgoing_max", &limits, full);
    every_face("on_drain under a cork", &limits, drains_corked);
    limits.outgoing_low = 0;
    every_face("on_drain under a cork, when nothing waits", &limits, drains_corked);
    limits.outgoing_low = 16384;
    every_face("a producer that fills it up", &limits, producer);
    limits.outgoing_high = 1000;
    limits.outgoing_low = 500;
    every_face("gathered bytes congest", &limits, congestion);
}
