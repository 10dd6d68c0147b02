/*
 * What was gathered or corked stays with its connection, wherever that goes and whatever else the turn brings.
 */
#define _GNU_SOURCE
#include "gathers.h"

#include <poll.h>
#include <unistd.h>

/* ---- the peer's end in the same turn */

static void hundred(end *e, event what)
{
    if (what == EVENT_DATA)
        put_many(e, 100, 20);
}

/** Takes all that the server has made. Returns how much. */
static size_t from_server(unsigned char *bytes, size_t most)
{
    size_t have = 0;
    for (ptrdiff_t got; (got = end_take(&server, bytes + have, most - have)) > 0;)
        have += (size_t)got;
    return have;
}

/** Gives the client ciphertext, and perhaps the end, before it is driven. */
static void to_client(const unsigned char *bytes, size_t n, int fin)
{
    if (client.face == FACE_BUFFERS) {
        CHECK_STATUS(tlsmem_feed(client.c, bytes, n), n);
        if (fin)
            tlsmem_feed_eof(client.c);
        return;
    }
    MUST(send(client.outer, bytes, n, MSG_NOSIGNAL) == (ptrdiff_t)n);
    if (fin)
        MUST(shutdown(client.outer, SHUT_WR) == 0);
    for (int i = 0; i <= fin; i++)
        end_drive(&client); /* after a recv that was short it looks again when it is told to */
}

/** What on_data writes goes out although the same turn brings close_notify, FIN, or both. */
static void ends(const scene *s)
{
    static unsigned char bytes[65536];
    for (int how = 1; how < 4; how++) {
        int notify = how & 1, fin = how >> 1;
        pair_establish(s);
        client.hook = hundred;
        put(&server, 10);
        if (notify)
            MUST(tlsmem_close_write(server.c) == TLSMEM_OK);
        size_t n = from_server(bytes, sizeof bytes);
        made before = made_by(client.c);
        to_client(bytes, n, fin);
        CHECK(client.received == 10 && client.sent == 2000, "%llu came", (unsigned long long)client.received);
        CHECK(client.eofs == notify, "on_eof %d times", client.eofs);
        CHECK(client.closes == (fin && !notify), "on_close %d times", client.closes);
        /* An alert to the one who went without a word is not owed. */
        CHECK_MADE(client, before, 1, 1);
        CHECK(report_of(client.c).bytes_encrypted == 2000 && held(&client) == 0, "%llu encrypted",
              (unsigned long long)report_of(client.c).bytes_encrypted);
        if (!notify) { /* the server still listens */
            wire_settle(&pair_wire);
            CHECK_ARRIVED(client, server);
        }
        client.hook = NULL;
        pair_close();
    }
}

/* ---- out of the loop */

static tlsmem_loop *here, *there;
static tlsmem_ctx *client_ctx, *server_ctx;

static void establish(const char *name)
{
    situation("%s", name);
    MUST((here = new_loop()) != NULL && (there = new_loop()) != NULL);
    end_open(&client, client_ctx, FACE_REGISTRY, here, 0, 0);
    end_open(&server, server_ctx, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
}

static void finish_places(void)
{
    wire_settle(&pair_wire);
    CHECK_ARRIVED(client, server);
    close_both();
    tlsmem_loop_free(here);
    tlsmem_loop_free(there);
}

static void removed(end *e)
{
    MUST(tlsmem_loop_remove(here, e->c) == TLSMEM_OK);
    e->face = FACE_FD;
    e->loop = NULL;
}

static void taken(end *e)
{
    MUST(tlsmem_take_fd(e->c) == e->fd);
    e->face = FACE_OWN_CALLS;
    e->loop = NULL;
}

static void moved(end *e)
{
    MUST(tlsmem_loop_move(there, e->c) == TLSMEM_OK);
    e->loop = there;
}

static void added_again(end *e)
{
    removed(e);
    MUST(tlsmem_loop_add(there, e->c, -1) == TLSMEM_OK);
    e->face = FACE_REGISTRY;
    e->loop = there;
}

static const struct { const char *name; void (*go)(end *e); } ways[] = {
    { "removed from its loop", removed }, { "its fd was taken", taken }, { "moved to another loop", moved },
    { "removed, and added to another loop", added_again },
};
enum { WAYS = sizeof ways / sizeof *ways };
static int way;

static void write_and_go(end *e)
{
    put_many(e, 50, 10);
    ways[way].go(e);
    put_many(e, 50, 10);
}

static void leaves(void)
{
    for (way = 0; way < WAYS; way++) {
        /* Nothing but what it waits for drives it afterwards. */
        establish(ways[way].name);
        put_many(&client, 50, 10);
        ways[way].go(&client);
        CHECK(way >= 2 || want_of(client.c).has_ciphertext, "it does not say that there is something to send");
        finish_places();

        establish(ways[way].name);
        situation("%s, and written to again", ways[way].name);
        write_and_go(&client);
        finish_places();

        establish(ways[way].name);
        situation("%s inside on_data", ways[way].name);
        in_on_data(write_and_go);
        finish_places();

        establish(ways[way].name);
        situation("%s with a cork", ways[way].name);
        MUST(tlsmem_cork(client.c) == TLSMEM_OK);
        write_and_go(&client);
        wire_settle(&pair_wire);
        CHECK(held(&client) == 1000 && server.received == 0, "%zu are held", held(&client));
        MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
        finish_places();
    }
}

/** Freed with gathered and with corked bytes: nothing is flushed, and nothing falls over it. */
static void free_inside(end *e)
{
    put_many(e, 10, 10);
    end_free_connection(e);
}

static void freed(void)
{
    for (int corks = 0; corks < 2; corks++) {
        establish("freed with gathered bytes");
        if (corks)
            MUST(tlsmem_cork(client.c) == TLSMEM_OK);
        put_many(&client, 10, 10);
        end_free_connection(&client);
        wire_settle(&pair_wire);
        CHECK(server.received == 0, "%llu came", (unsigned long long)server.received);
        client.sent = 0;
        finish_places();
        establish("freed inside on_data with gathered bytes");
        in_on_data(free_inside);
        CHECK(server.received == 0, "%llu came", (unsigned long long)server.received);
        client.sent = 0;
        finish_places();
    }
}

/* ---- into another face */

/** Carries the client's ciphertext from the buffers face to a socket. */
static void give_fd(int to_loop)
{
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    client.fd = pair[0];
    client.outer = pair[1];
    client.face = to_loop ? FACE_REGISTRY : FACE_FD;
    client.loop = to_loop ? here : NULL;
    MUST((to_loop ? tlsmem_loop_add(here, client.c, pair[0]) : tlsmem_set_fd(client.c, pair[0])) == TLSMEM_OK);
}

static void given_an_fd(void)
{
    for (int to_loop = 0; to_loop < 2; to_loop++)
        for (int corks = 0; corks < 2; corks++) {
            situation("given an fd with %s bytes, %s", corks ? "corked" : "other", to_loop ? "in a loop" : "in none");
            MUST((here = new_loop()) != NULL && (there = new_loop()) != NULL);
            end_open(&client, client_ctx, FACE_BUFFERS, NULL, 0, 0);
            end_open(&server, server_ctx, FACE_BUFFERS, NULL, 1, 0);
            wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
            wire_establish(&pair_wire);
            wire_settle(&pair_wire);
            if (corks)
                MUST(tlsmem_cork(client.c) == TLSMEM_OK);
            put_many(&client, 50, 10);
            give_fd(to_loop);
            wire_settle(&pair_wire);
            CHECK(server.received == (corks ? 0 : 500), "%llu came", (unsigned long long)server.received);
            put_many(&client, 50, 10);
            if (corks)
                MUST(tlsmem_uncork(client.c) == TLSMEM_OK);
            finish_places();
        }
}

void gathers_places(void)
{
    every_face("what on_data writes goes out although the peer ends", NULL, ends);
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        client_ctx = context(TLSMEM_CLIENT, version);
        server_ctx = context(TLSMEM_SERVER, version);
        leaves();
        freed();
        given_an_fd();
        tlsmem_ctx_free(client_ctx);
        tlsmem_ctx_free(server_ctx);
    }
}
