/*
 * A client that comes back, in a thread that has nothing yet: with a session that was kept as bytes, with early data, to a
 * server that was given other settings meanwhile.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <pthread.h>

enum { EARLY = 3000 };

static tlsmem_ctx *from, *to;

static int move(tlsmem *one, tlsmem *other)
{
    const void *bytes;
    size_t n;
    int moved = 0;
    for (; tlsmem_outgoing_peek(one, &bytes, &n) == TLSMEM_OK; moved = 1) {
        IGNORE(tlsmem_feed(other, bytes, n) < 0);
        MUST(tlsmem_outgoing_consume(one, n) == TLSMEM_OK);
    }
    return moved;
}

/** How an end ended: as a status that the fault explains. */
static void check_end(const tlsmem *c, const char *who)
{
    int status = failure_of(c);
    CHECK(sweep_excuses(status), "the %s failed with %s", who, tlsmem_status_name(status));
}

/** Reads what is the beginning of the pattern. Returns how much that was. */
static size_t drain(tlsmem *c, ptrdiff_t (*take)(tlsmem *, void *, size_t), size_t already)
{
    unsigned char bytes[EARLY];
    size_t total = 0;
    ptrdiff_t n;
    while ((n = take(c, bytes, sizeof bytes)) > 0) {
        CHECK(pattern_differs(bytes, 0, already + total, (size_t)n) == (size_t)n, "wrong bytes");
        total += (size_t)n;
    }
    return total;
}

/** Goes there, with a session or without, and returns what to come back with; NULL for nothing. */
static tlsmem_session *visit(const tlsmem_session *session)
{
    unsigned char sent[EARLY];
    tlsmem_session *newest = NULL;
    tlsmem *client = sweep_new(from, NULL, NULL), *server = sweep_new(to, NULL, NULL);
    pattern_fill(sent, 0, 0, sizeof sent);
    if (client != NULL && server != NULL && TRY(tlsmem_set_server_name(client, "localhost"))) {
        size_t n = 0;
        if (session != NULL && TRY(tlsmem_session_set(client, session)))
            IGNORE(tlsmem_write_early(client, sent, sizeof sent) < 0);
        else
            IGNORE(tlsmem_write(client, sent, sizeof sent) < 0);
        IGNORE(tlsmem_write(server, "x", 1) < 0);
        while (move(client, server) + move(server, client) > 0)
            n += drain(server, tlsmem_read_early, n);
        n += drain(server, tlsmem_read, n);
        newest = tlsmem_session_get(client);
        tlsmem_close(client);
        tlsmem_close(server);
        while (move(client, server) + move(server, client) > 0)
            ;
        check_end(client, "client");
        check_end(server, "server");
        CHECK(n == EARLY || !sweep_is_clean(), "%zu bytes came", n);
    }
    tlsmem_free(client);
    tlsmem_free(server);
    return newest;
}

/** As bytes and back. */
static tlsmem_session *kept(tlsmem_session *session)
{
    static unsigned char bytes[16384];
    tlsmem_session *made = NULL;
    ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
    CHECK(n > 0 || sweep_excuses((int)n), "tlsmem_session_to_bytes: %s", tlsmem_status_name((int)n));
    if (n > 0) {
        int status = tlsmem_session_from_bytes(bytes, (size_t)n, &made);
        CHECK(sweep_excuses(status), "tlsmem_session_from_bytes: %s", tlsmem_status_name(status));
    }
    tlsmem_session_free(session);
    return made;
}

static void *go_there_twice(void *user)
{
    (void)user;
    tlsmem_session *session = visit(NULL);
    CHECK(session != NULL || !sweep_is_clean(), "no session");
    if (session != NULL)
        session = kept(session);
    faulty_pause(1);
    tlsmem_ctx *fresh = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_early_data(fresh, EARLY) == TLSMEM_OK && tlsmem_ctx_set_alpn(fresh, "h2") == TLSMEM_OK);
    faulty_pause(0);
    IGNORE(TRY(tlsmem_ctx_reload(to, fresh)));
    tlsmem_ctx_free(fresh);
    tlsmem_session_free(session != NULL ? visit(session) : NULL);
    tlsmem_session_free(session);
    return NULL;
}

static void play(void)
{
    pthread_t thread;
    faulty_pause(1); /* the other scenes show how contexts fail */
    from = context(TLSMEM_CLIENT, 0);
    to = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_early_data(to, EARLY) == TLSMEM_OK);
    faulty_pause(0);
    MUST(pthread_create(&thread, NULL, go_there_twice, NULL) == 0 && pthread_join(thread, NULL) == 0);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

const scene visits_scene = { "visits", play };
