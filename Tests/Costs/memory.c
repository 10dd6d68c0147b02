/* The buffers face: what a record costs, with nobody else there. */
#include "costs.h"

static unsigned char text[LARGE];
static tlsmem_ctx *server_ctx, *client_ctx;
static SSL_CTX *peer_client, *peer_server;

/** A connection and its peer. */
typedef struct couple {
    tlsmem *c;
    peer p;
} couple;

/* What on_data is to do. */
static int answers; /* so many writes of as many bytes as came */
static size_t received;

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    received += n;
    for (int i = 0; i < answers; i++)
        MUST(tlsmem_write(c, bytes, n) == (ptrdiff_t)n);
}

static const tlsmem_callbacks pushing = { sizeof pushing, NULL, on_data, NULL, NULL, NULL };

/** Drops what the connection has to say, as a socket would take it. */
static size_t drop(tlsmem *c)
{
    const void *bytes;
    size_t n, total = 0;
    while (tlsmem_outgoing_peek(c, &bytes, &n) == TLSMEM_OK) {
        total += n;
        MUST(tlsmem_outgoing_consume(c, n) == TLSMEM_OK);
    }
    return total;
}

/** The handshake, up to where nobody has anything to say. */
static void greet(couple *pair)
{
    static unsigned char wire[65536];
    const void *bytes;
    size_t n;
    int moved = 1;
    while (moved) {
        moved = 0;
        IGNORE(peer_handshakes(&pair->p));
        while ((n = peer_says(&pair->p, wire, sizeof wire)) > 0) {
            MUST(tlsmem_feed(pair->c, wire, n) == (ptrdiff_t)n);
            moved = 1;
        }
        while (tlsmem_outgoing_peek(pair->c, &bytes, &n) == TLSMEM_OK) {
            peer_hears(&pair->p, bytes, n);
            MUST(tlsmem_outgoing_consume(pair->c, n) == TLSMEM_OK);
            moved = 1;
        }
    }
    MUST(tlsmem_is_established(pair->c));
}

static couple introduce(tlsmem_role role, const tlsmem_callbacks *callbacks)
{
    int serves = role == TLSMEM_SERVER;
    couple pair = { connection(serves ? server_ctx : client_ctx, callbacks, NULL),
                    peer_new(serves ? peer_client : peer_server, serves ? TLSMEM_CLIENT : TLSMEM_SERVER, -1) };
    return pair;
}

static void part(couple *pair)
{
    tlsmem_free(pair->c);
    peer_free(&pair->p);
}

static void write_records(const char *name, size_t size, long count)
{
    couple pair = introduce(TLSMEM_SERVER, &pushing);
    greet(&pair);
    for (long i = -WARM; i < count; i++) {
        if (i == 0)
            measure_begin();
        MUST(tlsmem_write(pair.c, text, size) == (ptrdiff_t)size);
        MUST(drop(pair.c) > size);
    }
    measure_end(name, count, size);
    part(&pair);
}

static void read_records(const char *name, size_t size, long count, int writes)
{
    couple pair = introduce(TLSMEM_SERVER, &pushing);
    greet(&pair);
    records made = peer_makes(&pair.p, count + WARM, size);
    answers = writes;
    received = 0;
    for (long i = -WARM; i < count; i++) {
        if (i == 0)
            measure_begin();
        MUST(tlsmem_feed(pair.c, made.bytes + (size_t)(i + WARM) * made.length, made.length) == (ptrdiff_t)made.length);
        MUST((drop(pair.c) > 0) == (writes > 0));
    }
    measure_end(name, writes > 1 ? count * writes : count, size);
    MUST(received == size * (size_t)(count + WARM));
    free(made.bytes);
    part(&pair);
}

/** The same without on_data. */
static void pull_records(const char *name, size_t size, long count)
{
    couple pair = introduce(TLSMEM_SERVER, NULL);
    greet(&pair);
    records made = peer_makes(&pair.p, count + WARM, size);
    for (long i = -WARM; i < count; i++) {
        if (i == 0)
            measure_begin();
        MUST(tlsmem_feed(pair.c, made.bytes + (size_t)(i + WARM) * made.length, made.length) == (ptrdiff_t)made.length);
        MUST(tlsmem_read(pair.c, text, sizeof text) == (ptrdiff_t)size);
    }
    measure_end(name, count, size);
    free(made.bytes);
    part(&pair);
}

static void handshakes(const char *name, tlsmem_role role)
{
    enum { COUNT = 8 };
    for (long i = -2; i < COUNT; i++) {
        if (i == 0)
            measure_begin();
        couple pair = introduce(role, &pushing);
        greet(&pair);
        part(&pair);
    }
    measure_end(name, COUNT, 0);
}

void measure_memory(int version)
{
    server_ctx = context(TLSMEM_SERVER, version);
    client_ctx = context(TLSMEM_CLIENT, version);
    peer_client = peer_context(TLSMEM_CLIENT, version);
    peer_server = peer_context(TLSMEM_SERVER, version);
    write_records("memory write 64", SMALL, SMALL_COUNT);
    write_records("memory write 16384", LARGE, LARGE_COUNT);
    read_records("memory read 64", SMALL, SMALL_COUNT, 0);
    read_records("memory read 16384", LARGE, LARGE_COUNT, 0);
    pull_records("memory pull 64", SMALL, SMALL_COUNT);
    pull_records("memory pull 16384", LARGE, LARGE_COUNT);
    read_records("memory echo 64", SMALL, SMALL_COUNT, 1);
    read_records("memory gathered 64", SMALL, SMALL_COUNT, 16);
    handshakes("memory server connection", TLSMEM_SERVER);
    handshakes("memory client connection", TLSMEM_CLIENT);
    tlsmem_ctx_free(server_ctx);
    tlsmem_ctx_free(client_ctx);
    SSL_CTX_free(peer_client);
    SSL_CTX_free(peer_server);
}
