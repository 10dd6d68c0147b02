/* Whatever a program may do to a connection, and to others, while its ClientHello is asked about. */
#include "questions.h"

static void free_it(tlsmem *c)
{
    (void)c;
    end_free_connection(&server);
}

static void abort_it(tlsmem *c) { CHECK_STATUS(tlsmem_abort(c), TLSMEM_OK); }
static void close_it(tlsmem *c) { IGNORE(tlsmem_close(c)); }

static void drive_it(tlsmem *c)
{
    IGNORE(tlsmem_handshake(c));
    IGNORE(tlsmem_flush(c));
    IGNORE(tlsmem_trim(c));
    IGNORE(tlsmem_key_update(c, 0));
    CHECK(!tlsmem_is_established(c) && state_of(c) == TLSMEM_STATE_HANDSHAKING, "state %d", (int)state_of(c));
    CHECK(tlsmem_write(c, "", 0) == 0, "an empty write");
}

int carry(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    if (tlsmem_outgoing_peek(from, &bytes, &n) != TLSMEM_OK || n == 0)
        return 0;
    CHECK_STATUS(tlsmem_feed(to, bytes, n), n);
    CHECK_STATUS(tlsmem_outgoing_consume(from, n), TLSMEM_OK);
    return 1;
}

/* Deeper than what the library keeps for calls within calls. */
enum { DEEPEST = 6 };
static int depth;
/** Runs a whole handshake of two other connections, of which the server is asked about, too. */
static void another_inside(tlsmem *c)
{
    (void)c;
    if (depth == DEEPEST)
        return;
    depth++;
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = asking_server("server", 0, 1);
    tlsmem *a = connection(from, NULL, NULL), *b = connection(to, NULL, NULL);
    IGNORE(tlsmem_handshake(a));
    while (carry(a, b) | carry(b, a)) {
    }
    CHECK(tlsmem_is_established(a) && tlsmem_is_established(b), "at depth %d: %d and %d", depth, failure_of(a), failure_of(b));
    tlsmem_free(a);
    tlsmem_free(b);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void does_in_callback(int version, face f, const char *what, void (*inside)(tlsmem *), int server_status)
{
    situation("version %x, %s: %s in the callback", (unsigned)version, face_names[f], what);
    said.inside = inside;
    ask_open(plain_client(version), asking_server("server", version, 1), f, f, CUT_WHOLE);
    if (inside == close_it)
        client.close_on_eof = 1;
    if (server_status == TLSMEM_OK) {
        ask_run();
        check_whole();
    } else {
        wire_settle(&pair_wire);
        CHECK(server.freed || server.closes == 1, "%d times on_close", server.closes);
        CHECK(server.freed || server.report.status == (server_status == TLSMEM_CLOSED ? TLSMEM_OK : server_status), "status %d", server.report.status);
    }
    CHECK(said.hellos == (inside == another_inside ? 1 + DEEPEST : 1), "asked %d times", said.hellos);
    ask_close();
}

static void is_asked_again(void)
{
    situation("a renegotiation asks again");
    tlsmem_ctx *from = context(TLSMEM_CLIENT, TLSMEM_TLS1_2), *to = asking_server("server", TLSMEM_TLS1_2, 1);
    MUST(tlsmem_ctx_set_renegotiation(from, 1) == TLSMEM_OK && tlsmem_ctx_set_renegotiation(to, 1) == TLSMEM_OK);
    ask_open(from, to, FACE_BUFFERS, FACE_BUFFERS, CUT_WHOLE);
    client.close_when_done = 0;
    MUST(wire_run(&pair_wire, both_established));
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(said.hellos == 2, "asked %d times", said.hellos);
    said.inside = free_it;
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(said.hellos == 3 && server.freed, "asked %d times", said.hellos);
    ask_close();
}

void questions_inside(void)
{
    static const int versions[] = { TLSMEM_TLS1_2, TLSMEM_TLS1_3 };
    static const face faces[] = { FACE_BUFFERS, FACE_FD, FACE_REGISTRY };
    for (int v = 0; v < 2; v++)
        for (int f = 0; f < 3; f++) {
            int version = versions[v];
            does_in_callback(version, faces[f], "free", free_it, TLSMEM_EABORTED);
            does_in_callback(version, faces[f], "abort", abort_it, TLSMEM_EABORTED);
            does_in_callback(version, faces[f], "close", close_it, TLSMEM_CLOSED);
            does_in_callback(version, faces[f], "everything", drive_it, TLSMEM_OK);
        }
    does_in_callback(0, FACE_REGISTRY, "other handshakes, asked about as well,", another_inside, TLSMEM_OK);
    is_asked_again();
}
