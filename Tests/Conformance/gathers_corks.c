/*
 * Corks: what they hold, what they do not hold, and what lets it out.
 */
#define _GNU_SOURCE
#include "gathers.h"

static void turn(const scene *s)
{
    if (s->client_face == FACE_REGISTRY)
        IGNORE(tlsmem_loop_run_once(client.loop, 0) < 0);
}

static void corked(const scene *s)
{
    pair_establish(s);
    made before = made_by(client.c);
    for (int i = 0; i < 3; i++)
        CHECK_STATUS(tlsmem_cork(client.c), TLSMEM_OK);
    put_many(&client, 50, 20);
    for (int i = 0; i < 2; i++) {
        wire_settle(&pair_wire);
        CHECK_MADE(client, before, 0, 0);
        CHECK(held(&client) == 1000 && server.received == 0, "%zu are held, %llu came", held(&client),
              (unsigned long long)server.received);
        CHECK_STATUS(tlsmem_uncork(client.c), TLSMEM_OK);
    }
    CHECK_MADE(client, before, 0, 0);
    CHECK_STATUS(tlsmem_uncork(client.c), TLSMEM_OK);
    turn(s);
    CHECK_MADE(client, before, 1, 1); /* in the fd face before it returned */
    CHECK_STATUS(tlsmem_uncork(client.c), TLSMEM_ESTATE);
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);

    /* What fills a record does not wait. */
    before = made_by(client.c);
    CHECK_STATUS(tlsmem_cork(client.c), TLSMEM_OK);
    put_many(&client, 16, 1000);
    put(&client, 384);
    CHECK(held(&client) == 0, "%zu are held", held(&client));
    turn(s);
    CHECK_MADE(client, before, 1, 1);
    before = made_by(client.c);
    put_many(&client, 17, 1000);
    wire_settle(&pair_wire);
    CHECK_MADE(client, before, 1, 1);
    CHECK(held(&client) == 17000 - 16384, "%zu are held", held(&client));
    CHECK(server.received == 1000 + 2 * 16384, "%llu came", (unsigned long long)server.received);
    put(&client, 100000);
    wire_settle(&pair_wire);
    CHECK(held(&client) == (17000 + 100000) % 16384, "%zu are held", held(&client));
    CHECK_MADE(client, before, 7, made_by(client.c).sends - before.sends);
    CHECK_STATUS(tlsmem_uncork(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);
    pair_close();
}

/* What was written without a cork, or let go by an uncork, does not wait for a cork that comes in the same turn. */

static void write_then_cork(end *e)
{
    put_many(e, 5, 10);
    MUST(tlsmem_cork(e->c) == TLSMEM_OK);
}

static void cork_again(end *e)
{
    put_many(e, 5, 10);
    MUST(tlsmem_uncork(e->c) == TLSMEM_OK);
    MUST(tlsmem_cork(e->c) == TLSMEM_OK);
}

static void corked_later(const scene *s)
{
    pair_establish(s);
    for (int inside = 0; inside < 2; inside++) {
        made before = made_by(client.c);
        for (int i = 0; i < 3; i++) {
            void (*play)(end *) = i == 0 ? write_then_cork : cork_again;
            if (inside)
                in_on_data(play);
            else
                play(&client);
            wire_settle(&pair_wire);
            CHECK_ARRIVED(client, server);
        }
        CHECK(made_by(client.c).records <= before.records + (inside || s->client_face == FACE_REGISTRY ? 3 : 7),
              "%llu records", (unsigned long long)(made_by(client.c).records - before.records));
        put_many(&client, 5, 10);
        wire_settle(&pair_wire);
        CHECK(held(&client) == 50, "%zu are held", held(&client)); /* the cork is as good as any */
        MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
        wire_settle(&pair_wire);
    }
    CHECK_ARRIVED(client, server);
    pair_close();
}

static void flushed(const scene *s)
{
    if (s->client_face == FACE_BUFFERS)
        return; /* tlsmem_flush wants an fd */
    pair_establish(s);
    MUST(tlsmem_cork(client.c) == TLSMEM_OK);
    for (int i = 0; i < 3; i++) {
        made before = made_by(client.c);
        put_many(&client, 10, 10);
        wire_settle(&pair_wire);
        CHECK_MADE(client, before, 0, 0);
        CHECK_STATUS(tlsmem_flush(client.c), TLSMEM_OK);
        CHECK_MADE(client, before, 1, 1);
    }
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);
    pair_close();
}

static void cork_inside(end *e)
{
    MUST(tlsmem_cork(e->c) == TLSMEM_OK);
    put_many(e, 10, 10);
}

static void uncork_inside(end *e)
{
    made before = made_by(e->c);
    put_many(e, 10, 10);
    MUST(tlsmem_uncork(e->c) == TLSMEM_OK);
    put_many(e, 10, 10);
    CHECK_MADE(*e, before, 0, 0); /* the end of the call sees to it */
}

static void flush_inside(end *e)
{
    made before = made_by(e->c);
    put_many(e, 10, 10);
    CHECK_STATUS(tlsmem_flush(e->c), e->face == FACE_BUFFERS ? TLSMEM_ESTATE : TLSMEM_OK);
    if (e->face != FACE_BUFFERS)
        CHECK_MADE(*e, before, 1, 1);
}

static void corked_in_callbacks(const scene *s)
{
    pair_establish(s);
    made before = made_by(client.c);
    in_on_data(cork_inside);
    CHECK_MADE(client, before, 0, 0);
    in_on_data(uncork_inside);
    CHECK_MADE(client, before, 1, 1);
    CHECK_ARRIVED(client, server);
    before = made_by(client.c);
    in_on_data(flush_inside);
    CHECK_MADE(client, before, 1, 1);
    CHECK_ARRIVED(client, server);
    pair_close();
}

/* ---- ends */

static void closed(const scene *s)
{
    for (int way = 0; way < 3; way++) {
        pair_establish(s);
        MUST(tlsmem_cork(client.c) == TLSMEM_OK);
        put_many(&client, 30, 10);
        CHECK_STATUS((way == 0 ? tlsmem_close : way == 1 ? tlsmem_close_write : tlsmem_abort)(client.c), TLSMEM_OK);
        server.close_on_eof = 1;
        wire_settle(&pair_wire);
        tlsmem_report_info report = report_of(client.c);
        CHECK(report.bytes_accepted == 300, "%llu accepted", (unsigned long long)report.bytes_accepted);
        if (way == 2) {
            CHECK(server.received == 0 && report.bytes_encrypted == 0, "%llu came",
                  (unsigned long long)server.received);
            CHECK_ENDED(client, TLSMEM_EABORTED);
        } else {
            CHECK_ARRIVED(client, server);
            CHECK(report.bytes_encrypted == 300 && report.close_notify_sent, "%llu encrypted",
                  (unsigned long long)report.bytes_encrypted);
            CHECK_STATUS(tlsmem_uncork(client.c), TLSMEM_CLOSED);
        }
        pair_close();
    }
}

void gathers_corks(void)
{
    every_face("a cork holds small writes and full records go", NULL, corked);
    every_face("a cork does not hold what was written before it", NULL, corked_later);
    every_face("tlsmem_flush lets out what is corked, and the cork stays", NULL, flushed);
    every_face("corks and flushes inside callbacks", NULL, corked_in_callbacks);
    every_face("closing lets out what is corked, abort drops it", NULL, closed);
}
