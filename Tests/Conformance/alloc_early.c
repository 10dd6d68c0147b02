/* Early data while OpenSSL runs out of memory: it comes whole, and once, or its connection fails. */
#include "alloc.h"

enum { EARLY = 20000 };
static tlsmem_ctx *from, *to;
static unsigned char sent[EARLY], got[2 * EARLY];

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

static void open_pair(tlsmem **client, tlsmem **server)
{
    *client = tlsmem_new(from, NULL, NULL);
    *server = tlsmem_new(to, NULL, NULL);
    MUST(*client != NULL && *server != NULL && tlsmem_set_server_name(*client, "localhost") == TLSMEM_OK);
}

static tlsmem_session *session_of_a_visit(void)
{
    tlsmem *client, *server;
    open_pair(&client, &server);
    MUST(tlsmem_write(server, "x", 1) == 1);
    for (int rounds = 0; rounds < 10; rounds++)
        move(client, server), move(server, client);
    tlsmem_session *session = tlsmem_session_get(client);
    MUST(session != NULL);
    tlsmem_free(client);
    tlsmem_free(server);
    return session;
}

/** Sends early data, which is answered, with one allocation failing. Returns whether it came. */
static int exchange(long at, int all)
{
    tlsmem *client, *server;
    tlsmem_session *session = session_of_a_visit();
    open_pair(&client, &server);
    MUST(tlsmem_session_set(client, session) == TLSMEM_OK);
    tlsmem_session_free(session);
    allocations = failures = 0;
    fail_all = all;
    fail_at = at;
    size_t n = 0;
    ptrdiff_t taken = tlsmem_write_early(client, sent, sizeof sent), read;
    for (int rounds = 0; rounds < 10; rounds++) {
        move(client, server);
        while ((read = tlsmem_read_early(server, got + n, sizeof got - n)) > 0)
            n += (size_t)read;
        if (n > 0)
            IGNORE(tlsmem_write(server, "answer", 6) < 0);
        move(server, client);
    }
    while ((read = tlsmem_read(server, got + n, sizeof got - n)) > 0)
        n += (size_t)read;
    fail_at = fail_all = 0;
    CHECK(n <= EARLY && memcmp(got, sent, n) == 0, "%zu bytes, or other ones", n);
    int good = taken == EARLY && tlsmem_is_established(client) && tlsmem_is_established(server)
               && failure_of(client) == TLSMEM_OK && failure_of(server) == TLSMEM_OK;
    CHECK(!good || n == EARLY, "%zu bytes, and nothing has failed", n);
    tlsmem_free(client);
    tlsmem_free(server);
    return good;
}

void early_data(void)
{
    from = context(TLSMEM_CLIENT, 0), to = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_early_data(to, EARLY) == TLSMEM_OK);
    pattern_fill(sent, 1, 0, sizeof sent);
    for (int all = 0; all < 2; all++) {
        situation("early data, all allocations succeed");
        CHECK(exchange(0, 0), "it did not come");
        long count = allocations, stride = count / setting("ALLOC_MOST", 400) + 1, survived = 0, tried = 0;
        for (long i = 1; i <= count; i += stride, tried++) {
            situation("early data, allocation %ld of %ld fails%s", i, count, all ? ", and all behind it" : "");
            survived += exchange(i, all);
        }
        CHECK(survived < tried, "no failed allocation made a difference");
    }
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}
