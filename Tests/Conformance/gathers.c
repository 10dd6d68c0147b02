/*
 * Small writes of one callback, of one turn, or under a cork, go out in as few records as they need; nothing else waits
 * for that, and nothing is lost or changes its place.
 */
#define _GNU_SOURCE
#include "gathers.h"

#include <poll.h>
#include <unistd.h>

made made_by(const tlsmem *c)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    MUST(tlsmem_stats(c, &stats) == TLSMEM_OK);
    return (made){ stats.records_out, stats.send_calls };
}

void check_made(const char *file, int line, const end *e, made since, uint64_t records, uint64_t sends)
{
    made now = made_by(e->c);
    if (e->face == FACE_BUFFERS)
        sends = 0;
    check_at(file, line, now.records - since.records == records && now.sends - since.sends == sends,
             "%llu records and %llu sends, expected %llu and %llu", (unsigned long long)(now.records - since.records),
             (unsigned long long)(now.sends - since.sends), (unsigned long long)records, (unsigned long long)sends);
}

void put(end *e, size_t n)
{
    static unsigned char bytes[131072];
    MUST(n <= sizeof bytes);
    pattern_fill(bytes, e->stream, e->sent, n);
    MUST(tlsmem_write(e->c, bytes, n) == (ptrdiff_t)n);
    e->sent += n;
    e->to_send = e->sent;
    e->activity++;
}

void put_many(end *e, int times, size_t n)
{
    for (int i = 0; i < times; i++)
        put(e, n);
}

size_t held(const end *e)
{
    return want_of(e->c).deferred_bytes;
}

void every_face(const char *name, const tlsmem_limits *limits, void (*play)(const scene *s))
{
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        for (int of = FACE_BUFFERS; of <= FACE_REGISTRY; of++) {
            scene s = { name, version, (face)of, FACE_BUFFERS, limits };
            play(&s);
        }
}

void close_both(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong,
          server.wrong);
    end_finish(&client);
    end_finish(&server);
}

/* ---- callbacks */

static void (*play_inside)(end *e);

static void once(end *e, event what)
{
    if (what != EVENT_DATA || play_inside == NULL)
        return;
    void (*play)(end *) = play_inside;
    play_inside = NULL;
    play(e);
}

void in_on_data(void (*play)(end *e))
{
    play_inside = play;
    client.hook = once;
    server.to_send = server.sent + 10;
    end_step(&server);
    wire_settle(&pair_wire);
    MUST(play_inside == NULL);
}

static void hundred(end *e) { put_many(e, 100, 20); }
static void large(end *e) { put_many(e, 100, 1000); }

static void of_on_data(const scene *s)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 131072;
    limits.outgoing_low = 32768;
    scene small = *s;
    small.limits = &limits;
    pair_establish(&small);
    made before = made_by(client.c);
    in_on_data(hundred);
    CHECK_MADE(client, before, 1, 1);
    CHECK_ARRIVED(client, server);
    before = made_by(client.c);
    in_on_data(large); /* 100,000 bytes: six full records and a rest; half of what may wait is sent meanwhile */
    CHECK_MADE(client, before, 7, 2);
    CHECK_ARRIVED(client, server);
    CHECK(held(&client) == 0, "%zu bytes are held", held(&client));
    pair_close();
}

static event awaited;
static made before_event;

static void hundred_in_event(end *e, event what)
{
    if (what != awaited)
        return;
    before_event = made_by(e->c);
    hundred(e);
}

static void of_on_established(const scene *s)
{
    awaited = EVENT_ESTABLISHED;
    pair_open(s);
    client.hook = hundred_in_event;
    wire_settle(&pair_wire);
    CHECK_MADE(client, before_event, 1, 1);
    CHECK_ARRIVED(client, server);
    pair_close();
}

static void of_on_eof(const scene *s)
{
    awaited = EVENT_EOF;
    pair_establish(s);
    client.hook = hundred_in_event;
    MUST(tlsmem_close_write(server.c) == TLSMEM_OK);
    wire_settle(&pair_wire);
    MUST(client.eofs == 1);
    CHECK_MADE(client, before_event, 1, 1);
    CHECK_ARRIVED(client, server);
    pair_close();
}

/* ---- alone */

/** Whether the loop asks to be run at once. */
static int wants_a_turn(tlsmem_loop *loop)
{
    struct pollfd wanted = { tlsmem_loop_fd(loop), POLLIN, 0 };
    return poll(&wanted, 1, 0) > 0 && tlsmem_loop_timeout(loop) == 0;
}

static void lone(const scene *s)
{
    pair_establish(s);
    made before = made_by(client.c);
    for (uint64_t i = 1; i <= 3; i++) {
        put(&client, 10);
        if (s->client_face == FACE_REGISTRY) {
            CHECK_MADE(client, before, i - 1, i - 1);
            CHECK(held(&client) == 10, "%zu bytes are held", held(&client));
            CHECK(wants_a_turn(client.loop), "the loop would sleep over them");
            MUST(tlsmem_loop_run_once(client.loop, 0) > 0);
        }
        CHECK_MADE(client, before, i, i);
        CHECK(held(&client) == 0, "%zu bytes are held", held(&client));
        CHECK(s->client_face != FACE_BUFFERS || want_of(client.c).outgoing_bytes > 0, "nothing is to be taken");
    }
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);
    pair_close();
}

int main(void)
{
    begin("gathers");
    int descriptors = open_descriptors();
    every_face("small writes of on_data are one record", NULL, of_on_data);
    every_face("small writes of on_established are one record", NULL, of_on_established);
    every_face("small writes of on_eof are one record", NULL, of_on_eof);
    every_face("a write of its own waits for nothing", NULL, lone);
    gathers_corks();
    gathers_order();
    gathers_limits();
    gathers_keys();
    gathers_loops();
    gathers_places();
    situation("at the end");
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
    return finish();
}
