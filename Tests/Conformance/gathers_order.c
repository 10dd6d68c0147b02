/*
 * Whatever the sizes and the corks: the bytes arrive in the order of the calls, and the counts are true.
 */
#define _GNU_SOURCE
#include "gathers.h"

/* ---- order */

static seeded random_now;

static const size_t sizes[] = { 1, 13, 100, 1000, 4095, 4096, 4097, 16383, 16384, 16385, 102400 };

/** A few calls of every kind; at most 410 KB, which have room. */
static void some_calls(end *e)
{
    for (int i = 0; i < 12; i++) {
        uint64_t dice = seeded_next(&random_now);
        size_t most = i % 4 == 0 ? sizeof sizes / sizeof *sizes : 6;
        switch (dice % 8) {
        case 0: IGNORE(tlsmem_cork(e->c)); break;
        case 1: IGNORE(tlsmem_uncork(e->c)); break;
        case 2: IGNORE(tlsmem_flush(e->c)); break;
        default: put(e, sizes[dice / 8 % most]);
        }
    }
}

static void order(const scene *s)
{
    for (uint64_t seed = 1; seed <= (short_run() ? 2 : 20); seed++) {
        pair_establish(s);
        situation("order of small, large, corked and other writes: %s client, TLS 1.%d, seed %llu",
                  face_names[s->client_face], s->version - 0x0301, (unsigned long long)seed);
        random_now.state = seed;
        for (int round = 0; round < 5; round++) {
            some_calls(&client);
            if (seeded_next(&random_now) % 2 == 0)
                wire_turn(&pair_wire);
            in_on_data(some_calls);
            CHECK(server.received + held(&client) == client.sent, "%llu came and %zu are held of %llu",
                  (unsigned long long)server.received, held(&client), (unsigned long long)client.sent);
            CHECK(held(&client) < 16384, "%zu are held: a full record", held(&client));
        }
        while (tlsmem_uncork(client.c) == TLSMEM_OK) { }
        wire_settle(&pair_wire);
        CHECK_ARRIVED(client, server);
        CHECK(held(&client) == 0, "%zu bytes are held", held(&client));
        pair_close();
    }
}

/* ---- pieces */

enum { PIECES = 1024 };

/** Writes pieces of the pattern; the sizes go by turns through `sizes_of`, ended by -1. Returns the call's answer. */
static ptrdiff_t put_pieces(end *e, int count, const int *sizes_of, size_t *offered)
{
    static unsigned char bytes[8 * 1024 * 1024];
    struct iovec pieces[PIECES];
    size_t total = 0;
    for (int i = 0, next = 0; i < count; i++, next++) {
        if (sizes_of[next] < 0)
            next = 0;
        size_t n = (size_t)sizes_of[next];
        MUST(total + n <= sizeof bytes);
        pieces[i] = (struct iovec){ n == 0 ? NULL : bytes + total, n };
        total += n;
    }
    pattern_fill(bytes, e->stream, e->sent, total);
    ptrdiff_t taken = tlsmem_writev(e->c, pieces, count);
    if (taken > 0)
        e->to_send = e->sent += (uint64_t)taken;
    *offered = total;
    return taken;
}

static void vectors(end *e)
{
    static const int one[] = { 700, -1 }, empty[] = { 0, -1 };
    static const int small[] = { 3, 0, 5, -1 }, mixed[] = { 5, 9000, 0, 1, -1 };
    size_t offered;
    CHECK_STATUS(put_pieces(e, 0, empty, &offered), 0);
    CHECK_STATUS(put_pieces(e, 7, empty, &offered), 0);
    CHECK_STATUS(put_pieces(e, 1, one, &offered), 700);
    CHECK_STATUS(put_pieces(e, PIECES, small, &offered), 2731);
    CHECK_STATUS(put_pieces(e, 5, mixed, &offered), 9011);
}

static void pieces(const scene *s)
{
    /* 700 bytes; 2731; 9011: outside of a loop and of a callback each is a record of its own. */
    uint64_t records = s->client_face == FACE_REGISTRY ? 1 : 3;
    pair_establish(s);
    made before = made_by(client.c);
    vectors(&client);
    wire_settle(&pair_wire);
    CHECK_MADE(client, before, records, records);
    CHECK_ARRIVED(client, server);
    before = made_by(client.c);
    in_on_data(vectors);
    CHECK_MADE(client, before, 1, 1);
    CHECK_ARRIVED(client, server);
    before = made_by(client.c);
    for (int i = 0; i < 255; i++)
        MUST(tlsmem_cork(client.c) == TLSMEM_OK); /* there is no cork left for it */
    vectors(&client);
    wire_settle(&pair_wire);
    CHECK_MADE(client, before, 0, 0);
    for (int i = 0; i < 255; i++)
        CHECK_STATUS(tlsmem_uncork(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_MADE(client, before, 1, 1);
    CHECK_ARRIVED(client, server);
    pair_close();
}

/** The count says exactly what was taken, of a vector that has no room. */
static void taken_in_part(const scene *s)
{
    static const int sizes_of[] = { 11, 0, 4000, 1, 100, 5000, -1 };
    for (int corks = 0; corks < 2; corks++) {
        size_t offered;
        pair_establish(s);
        pair_wire.up.cut_off = 1; /* nobody takes what the client makes */
        if (corks)
            MUST(tlsmem_cork(client.c) == TLSMEM_OK);
        ptrdiff_t taken = put_pieces(&client, PIECES, sizes_of, &offered);
        CHECK(taken > 0 && (size_t)taken < offered, "%td of %zu were taken", taken, offered);
        client.drain_owed = 1;
        for (int again = 0; taken > 0 && again < 100; again++) {
            end_drive(&client);
            taken = put_pieces(&client, PIECES, sizes_of, &offered);
        }
        CHECK_STATUS(taken, TLSMEM_AGAIN);
        tlsmem_want_info want = want_of(client.c);
        CHECK(want.outgoing_bytes + want.deferred_bytes <= s->limits->outgoing_max, "%zu and %zu wait",
              want.outgoing_bytes, want.deferred_bytes);
        CHECK(report_of(client.c).bytes_accepted == client.sent, "%llu accepted, %llu were taken",
              (unsigned long long)report_of(client.c).bytes_accepted, (unsigned long long)client.sent);
        if (corks)
            MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
        pair_wire.up.cut_off = 0;
        wire_settle(&pair_wire);
        CHECK_ARRIVED(client, server);
        CHECK(client.drains >= 1, "no on_drain");
        pair_close();
    }
}

/* ---- what a callback sees of it */

/** Hands the server what the client shows, from inside the client's callback. */
static void take_inside(end *e)
{
    const void *bytes;
    size_t n;
    uint64_t before = server.received;
    made was = made_by(e->c);
    CHECK_STATUS(tlsmem_outgoing_peek(e->c, &bytes, &n), TLSMEM_AGAIN);
    put_many(e, 30, 10);
    CHECK_STATUS(tlsmem_outgoing_peek(e->c, &bytes, &n), TLSMEM_OK);
    CHECK(n > 300 && n < 400 && n == want_of(e->c).outgoing_bytes, "%zu bytes", n);
    CHECK_STATUS(tlsmem_feed(server.c, bytes, n), n);
    CHECK(server.received == before + 300, "%llu came", (unsigned long long)(server.received - before));
    CHECK_STATUS(tlsmem_outgoing_consume(e->c, n), TLSMEM_OK);
    CHECK_MADE(*e, was, 1, 0);
    CHECK_STATUS(tlsmem_outgoing_peek(e->c, &bytes, &n), TLSMEM_AGAIN);
    put_many(e, 30, 10); /* the end of the call sees to these */
    CHECK_MADE(*e, was, 1, 0);
}

static void shown(const scene *s)
{
    if (s->client_face != FACE_BUFFERS)
        return;
    pair_establish(s);
    made before = made_by(client.c);
    in_on_data(take_inside);
    CHECK_MADE(client, before, 2, 0);
    CHECK_ARRIVED(client, server);
    pair_close();
}

void gathers_order(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 65536;
    limits.outgoing_low = 20000;
    limits.outgoing_high = 65536;
    every_face("the order of the calls", NULL, order);
    every_face("several pieces are one write", NULL, pieces);
    every_face("pieces that have no room", &limits, taken_in_part);
    every_face("tlsmem_outgoing_peek inside a callback shows what was written there", NULL, shown);
}
