/*
 * Gathering while a handshake is under way: the first one, a renegotiation, a KeyUpdate.
 */
#define _GNU_SOURCE
#include "gathers.h"

static void early(const scene *s)
{
    for (int corks = 0; corks < 2; corks++) {
        pair_open(s);
        if (corks)
            MUST(tlsmem_cork(client.c) == TLSMEM_OK);
        put_many(&client, 100, 20);
        CHECK(held(&client) == 2000, "%zu are held", held(&client));
        wire_settle(&pair_wire);
        MUST(client.established && server.established);
        if (corks) {
            CHECK(held(&client) == 2000 && server.received == 0, "%zu are held", held(&client));
            made before = made_by(client.c);
            MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
            wire_settle(&pair_wire);
            CHECK_MADE(client, before, 1, 1);
        }
        CHECK_ARRIVED(client, server);
        pair_close();
    }
}

/** What a cork holds before the handshake, more than a record of it, and a close that comes then. */
static void early_close(const scene *s)
{
    pair_open(s);
    MUST(tlsmem_cork(client.c) == TLSMEM_OK);
    put_many(&client, 30, 1000);
    server.close_on_eof = 1;
    MUST(tlsmem_close(client.c) == TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);
    CHECK_ENDED(client, TLSMEM_OK);
    pair_close();
}

static void update_inside(end *e)
{
    for (int i = 0; i < 3; i++) {
        put_many(e, 5, 20);
        CHECK_STATUS(tlsmem_key_update(e->c, i % 2), TLSMEM_OK);
    }
    put_many(e, 5, 20);
}

static void updates(const scene *s)
{
    if (s->version != TLSMEM_TLS1_3)
        return;
    pair_establish(s);
    made before = made_by(client.c);
    in_on_data(update_inside);
    CHECK_MADE(client, before, 4, 1); /* three KeyUpdates, and what was written around them */
    CHECK_ARRIVED(client, server);
    MUST(tlsmem_cork(client.c) == TLSMEM_OK);
    put_many(&client, 5, 20);
    CHECK_STATUS(tlsmem_key_update(client.c, 1), TLSMEM_OK);
    CHECK_STATUS(tlsmem_key_update(server.c, 1), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(held(&client) == 100, "%zu are held", held(&client));
    put_many(&client, 5, 20);
    before = made_by(client.c);
    MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK_MADE(client, before, 2, 1); /* OpenSSL answers the server's request with the next write */
    CHECK_ARRIVED(client, server);
    pair_close();
}

/* ---- renegotiation */

static tlsmem_ctx *contexts[2];
static tlsmem_loop *loop;

static void open_renegotiating(face face)
{
    situation("a renegotiation: %s client", face_names[face]);
    for (int i = 0; i < 2; i++) {
        contexts[i] = context(i ? TLSMEM_SERVER : TLSMEM_CLIENT, TLSMEM_TLS1_2);
        MUST(tlsmem_ctx_set_renegotiation(contexts[i], 1) == TLSMEM_OK);
    }
    MUST((loop = new_loop()) != NULL);
    end_open(&client, contexts[0], face, loop, 0, 0);
    end_open(&server, contexts[1], FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
}

static void renegotiate_inside(end *e)
{
    put_many(e, 20, 10);
    CHECK_STATUS(tlsmem_renegotiate(e->c), TLSMEM_OK);
    put_many(e, 20, 10);
}

static void renegotiates(face face)
{
    for (int by = 0; by < 3; by++) { /* the client, corked and not, and the server */
        open_renegotiating(face);
        if (by == 1)
            MUST(tlsmem_cork(client.c) == TLSMEM_OK);
        in_on_data(renegotiate_inside);
        if (by == 1) {
            CHECK(held(&client) == 400 && server.received == 0, "%zu are held", held(&client));
            MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
            wire_settle(&pair_wire);
        }
        CHECK_ARRIVED(client, server);

        /* Many that come while it is under way are one record after it. */
        tlsmem *asks = by == 2 ? server.c : client.c;
        MUST(tlsmem_renegotiate(asks) == TLSMEM_OK);
        put_many(&client, 50, 10);
        wire_turn(&pair_wire);
        put_many(&client, 50, 10);
        wire_settle(&pair_wire);
        CHECK_ARRIVED(client, server);
        CHECK(failure_of(client.c) == TLSMEM_OK && held(&client) == 0, "%s", tlsmem_status_name(failure_of(client.c)));
        close_both();
        tlsmem_loop_free(loop);
        tlsmem_ctx_free(contexts[0]);
        tlsmem_ctx_free(contexts[1]);
    }
}

void gathers_keys(void)
{
    every_face("writes before the handshake are one record", NULL, early);
    every_face("a close before the handshake lets out what is corked", NULL, early_close);
    every_face("a KeyUpdate among gathered writes", NULL, updates);
    for (int of = FACE_BUFFERS; of <= FACE_REGISTRY; of++)
        renegotiates((face)of);
}
