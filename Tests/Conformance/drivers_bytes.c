/* drivers_bytes.c - the cases of drivers.c in which every byte has to come back: sizes, cuts, keys, many at once. */
#include "drivers.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define EACH_VERSION(v) for (size_t v = 0; v < sizeof versions / sizeof versions[0]; v++)

/* Sends so much, closes in order, and looks at what the server says of it. */
static int round_trip(server *s, int version, uint64_t size, cut cut)
{
    char line[128];
    off_t mark = server_mark(s);
    client *c = client_new(s, version);
    c->want = size;
    c->cut = cut;
    if (!until_one(is_echoed, c))
        return fails(__LINE__, "%llu bytes in version %x", (unsigned long long)size, version);
    c->closes = 1;
    if (!until_one(is_closed, c))
        return fails(__LINE__, "the close after %llu bytes in version %x", (unsigned long long)size, version);
    snprintf(line, sizeof line, " in=%llu out=%llu ", (unsigned long long)size, (unsigned long long)size);
    NEED(server_says(s, mark, line) && server_says(s, mark, "close=TLSMEM_OK\n"), "its line of --stats");
    client_free(c);
    return 1;
}

static int sizes(server *s)
{
    static const uint64_t all[] = { 0, 1, 16383, 16384, 16385, 1 << 20 };
    EACH_VERSION(v)
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            if (!round_trip(s, versions[v], all[i], WHOLE))
                return 0;
    return 1;
}

static int cut_at_random(server *s)
{
    EACH_VERSION(v)
        for (int times = 0; times < 5; times++)
            if (!round_trip(s, versions[v], 200000, AT_RANDOM))
                return 0;
    return 1;
}

static int cut_bytewise(server *s)
{
    EACH_VERSION(v)
        if (!round_trip(s, versions[v], 20000, BYTEWISE))
            return 0;
    return 1;
}

static int new_keys(server *s)
{
    client *c = client_new(s, TLS1_3_VERSION);
    c->want = 2 << 20;
    c->update_every = 50000;
    NEED(until_one(is_echoed, c), "with new keys");
    NEED(c->updates == (2 << 20) / 50000, "%d updates", c->updates);
    client_free(c);
    return 1;
}

/* In the middle of its own bytes: it is refused, and so this client's OpenSSL ends the connection; the server goes on. */
static int renegotiation(server *s)
{
    client *c = client_new(s, TLS1_2_VERSION);
    c->want = 50000;
    NEED(until_one(is_echoed, c), "before it");
    NEED(SSL_renegotiate(c->ssl) == 1, "this client has no renegotiation");
    SSL_do_handshake(c->ssl);
    while (!has_ended(c) && (client_turn(c) || clients_wait(&c, 1, LIMIT_MS))) {
    }
    NEED(c->reason == SSL_R_NO_RENEGOTIATION, "reason %d%s%s", c->reason, c->eof ? ", FIN" : "", c->reset ? ", RST" : "");
    client_free(c);
    return round_trip(s, TLS1_2_VERSION, 1000, WHOLE);
}

static int many(server *s)
{
    enum { CLIENTS = 64 };
    client *all[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        all[i] = client_new(s, versions[i % 2]);
        all[i]->want = (uint64_t)(20000 + 1000 * i);
        all[i]->cut = i % 4 == 3 ? AT_RANDOM : WHOLE;
    }
    NEED(until(is_echoed, all, CLIENTS), "of %d at once", CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        all[i]->closes = 1;
    NEED(until(is_closed, all, CLIENTS), "the closes of %d at once", CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        client_free(all[i]);
    return 1;
}

/* Fills every buffer on the way without reading, then reads on: meanwhile others are served, and memory is bounded. */
static int slow_reader(server *s)
{
    enum { MOST = 64 << 20, MEMORY = 8 << 20 };
    client *c = client_new(s, 0);
    c->want = 1;
    NEED(until_one(is_echoed, c), "the first byte");
    size_t before = server_memory(s);
    c->deaf = 1;
    c->want = MOST;
    while (client_turn(c) || clients_wait(&c, 1, 300)) {
    }
    NEED(c->sent < MOST, "the server has taken %d MiB that nobody reads", MOST >> 20);
    size_t after = server_memory(s);
    NEED(after < before + MEMORY, "from %zu to %zu bytes of memory", before, after);
    if (!round_trip(s, 0, 100000, WHOLE))
        return fails(__LINE__, "of another client meanwhile");
    c->deaf = 0;
    c->want = c->sent; /* what it has sent until now has to come, and an end */
    c->closes = 1;
    NEED(until_one(is_closed, c) && is_echoed(c), "%llu of %llu bytes, later", (unsigned long long)c->got,
         (unsigned long long)c->sent);
    client_free(c);
    return 1;
}

const drive drives_of_bytes[] = {
    { "sizes", sizes, 0 },
    { "cut at random", cut_at_random, 0 },
    { "byte by byte", cut_bytewise, 0 },
    { "new keys", new_keys, 0 },
    { "renegotiation", renegotiation, 0 },
    { "64 at once", many, 0 },
    { "slow reader", slow_reader, 0 },
    { NULL, NULL, 0 },
};
