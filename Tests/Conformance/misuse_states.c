/* Every call that depends on the state, in every state: what the header says it returns there. */
#define _GNU_SOURCE
#include "misuse.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

typedef enum place { FRESH, SHAKING, OPEN13, OPEN12, CLOSING, CLOSED, FAILED, PLACES } place;
static const char *const place_names[PLACES] = {
    "before the handshake", "in the handshake", "open, TLS 1.3", "open, TLS 1.2", "closing", "closed", "failed"
};

static tlsmem_loop *loop;
static tlsmem_ctx *contexts[2][2]; /* TLS 1.3 and 1.2, client and server */
static int spare[2]; /* a socketpair for calls that want a descriptor */

static long call_set_server_name(tlsmem *c) { return tlsmem_set_server_name(c, "localhost"); }
static long call_handshake(tlsmem *c) { return tlsmem_handshake(c); }
static long call_tick(tlsmem *c) { return tlsmem_tick(c, tlsmem_now()); }
static long call_set_timeout(tlsmem *c) { return tlsmem_set_timeout(c, TLSMEM_TIMEOUT_READ, 60000); }
static long call_congested(tlsmem *c) { return tlsmem_is_congested(c); }
static long call_feed(tlsmem *c) { return tlsmem_feed(c, "x", 1); }
static long call_feed_eof(tlsmem *c) { return tlsmem_feed_eof(c); }
static long call_feed_error(tlsmem *c) { return tlsmem_feed_error(c, ECONNRESET); }
static long call_feed_no_error(tlsmem *c) { return tlsmem_feed_error(c, 0); }
static long call_consume(tlsmem *c) { return tlsmem_outgoing_consume(c, want_of(c).outgoing_bytes + 1); }
static long call_write(tlsmem *c) { return tlsmem_write(c, "x", 1); }
static long call_writev(tlsmem *c) { return tlsmem_writev(c, (struct iovec[]){ { "x", 1 }, { "yz", 2 } }, 2); }
static long call_writev_nothing(tlsmem *c) { return tlsmem_writev(c, NULL, 0); }
static long call_cork(tlsmem *c) { return tlsmem_cork(c); }
static long call_uncork(tlsmem *c) { return tlsmem_uncork(c); }
static long call_read(tlsmem *c) { char byte; return tlsmem_read(c, &byte, 1); }
static long call_read_peek(tlsmem *c) { const void *p; size_t n; return tlsmem_read_peek(c, &p, &n); }
static long call_read_consume(tlsmem *c) { return tlsmem_read_consume(c, 1); }
static long call_set_fd(tlsmem *c) { return tlsmem_set_fd(c, spare[0]); }
static long call_take_fd(tlsmem *c) { return tlsmem_take_fd(c); }
static long call_own_fd(tlsmem *c) { return tlsmem_own_fd(c, 0); }
static long call_on_readable(tlsmem *c) { return tlsmem_on_readable(c); }
static long call_on_writable(tlsmem *c) { return tlsmem_on_writable(c); }
static long call_flush(tlsmem *c) { return tlsmem_flush(c); }
static long call_pause(tlsmem *c) { return tlsmem_pause(c); }
static long call_resume(tlsmem *c) { return tlsmem_resume(c); }
static long call_close(tlsmem *c) { return tlsmem_close(c); }
static long call_close_write(tlsmem *c) { return tlsmem_close_write(c); }
static long call_unwrap(tlsmem *c) { return tlsmem_unwrap(c); }
static long call_unwrapped(tlsmem *c) { char byte; return tlsmem_unwrapped(c, &byte, 1); }
static long call_abort(tlsmem *c) { return tlsmem_abort(c); }
static long call_key_update(tlsmem *c) { return tlsmem_key_update(c, 1); }
static long call_renegotiate(tlsmem *c) { return tlsmem_renegotiate(c); }
static long call_request(tlsmem *c) { return tlsmem_request_certificate(c, NULL, NULL); } /* nobody offers it here */
static long call_loop_add(tlsmem *c) { return tlsmem_loop_add(loop, c, spare[0]); }
static long call_loop_remove(tlsmem *c) { return tlsmem_loop_remove(loop, c); }
static long call_established(tlsmem *c) { return tlsmem_is_established(c); }
static long call_subject(tlsmem *c) { return tlsmem_peer_subject(c, NULL, 0) > 0; }

/* Not looked at here; the failure of the connection; that or TLSMEM_ESTATE, where both apply. */
enum { SKIP = 1000, WHY = 1001, WHY_STA = 1002 };
/** Where the header leaves two answers open. */
#define OR(one, other) (1000000 - (one) * 1000 - (other))

#define AGN TLSMEM_AGAIN
#define INV TLSMEM_EINVAL
#define STA TLSMEM_ESTATE
#define CLO TLSMEM_CLOSED
#define RST TLSMEM_ERESET
#define OK_CLO OR(0, TLSMEM_CLOSED)
#define CLO_STA OR(TLSMEM_CLOSED, TLSMEM_ESTATE)

static const struct {
    const char *name;
    long (*call)(tlsmem *c);
    long expected[PLACES];
} table[] = {
    /*                                        FRESH SHAKING OPEN13 OPEN12 CLOSING CLOSED FAILED */
    { "set_server_name", call_set_server_name, { SKIP, STA, STA, STA, STA, STA, STA } },
    { "handshake", call_handshake,             { AGN, AGN, 0, 0, OK_CLO, OK_CLO, WHY } },
    { "tick", call_tick,                       { 0, 0, 0, 0, 0, CLO, WHY } },
    { "feed", call_feed,                       { 1, 1, 1, 1, 1, CLO, WHY } },
    { "feed_eof", call_feed_eof,               { TLSMEM_EHANDSHAKEEOF, TLSMEM_EHANDSHAKEEOF, TLSMEM_ETRUNCATED,
                                                 TLSMEM_ETRUNCATED, OR(TLSMEM_CLOSED, TLSMEM_ETRUNCATED), CLO, WHY } },
    { "feed_error", call_feed_error,           { RST, RST, RST, RST, RST, CLO, WHY } },
    { "feed_error without one", call_feed_no_error, { INV, INV, INV, INV, INV, INV, INV } },
    { "outgoing_consume", call_consume,        { INV, INV, INV, INV, INV, INV, INV } },
    { "write", call_write,                     { 1, 1, 1, 1, STA, CLO, WHY } },
    { "writev", call_writev,                   { 3, 3, 3, 3, STA, CLO, WHY } },
    { "writev of nothing", call_writev_nothing, { 0, 0, 0, 0, STA, CLO, WHY } },
    { "cork", call_cork,                       { 0, 0, 0, 0, STA, CLO, WHY } },
    { "uncork", call_uncork,                   { STA, STA, STA, STA, STA, STA, STA } },
    { "read", call_read,                       { AGN, AGN, AGN, AGN, AGN, 0, WHY } },
    { "read_peek", call_read_peek,             { AGN, AGN, AGN, AGN, AGN, CLO, WHY } },
    { "read_consume", call_read_consume,       { INV, INV, INV, INV, INV, INV, INV } },
    { "set_fd", call_set_fd,                   { 0, 0, 0, 0, 0, STA, STA } },
    { "take_fd", call_take_fd,                 { -1, -1, -1, -1, -1, -1, -1 } },
    { "own_fd", call_own_fd,                   { 0, 0, 0, 0, 0, 0, 0 } },
    { "on_readable", call_on_readable,         { STA, STA, STA, STA, STA, CLO_STA, WHY_STA } },
    { "on_writable", call_on_writable,         { STA, STA, STA, STA, STA, CLO_STA, WHY_STA } },
    { "flush", call_flush,                     { STA, STA, STA, STA, STA, CLO_STA, WHY_STA } },
    { "pause", call_pause,                     { 0, 0, 0, 0, 0, 0, 0 } },
    { "resume", call_resume,                   { 0, 0, 0, 0, 0, 0, 0 } },
    { "close", call_close,                     { 0, 0, 0, 0, 0, 0, 0 } },
    { "close_write", call_close_write,         { 0, 0, 0, 0, 0, STA, STA } },
    { "unwrap", call_unwrap,                   { 0, 0, 0, 0, STA, STA, STA } },
    { "unwrapped", call_unwrapped,             { STA, STA, STA, STA, STA, STA, STA } },
    { "abort", call_abort,                     { 0, 0, 0, 0, 0, 0, 0 } },
    { "key_update", call_key_update,           { STA, STA, 0, STA, STA, STA, STA } },
    { "renegotiate", call_renegotiate,         { STA, STA, STA, 0, STA, STA, STA } },
    { "request_certificate", call_request,     { STA, STA, STA, STA, STA, STA, STA } },
    { "loop_add", call_loop_add,               { 0, 0, 0, 0, 0, STA, STA } },
    { "loop_remove", call_loop_remove,         { STA, STA, STA, STA, STA, STA, STA } },
    { "set_timeout", call_set_timeout,         { 0, 0, 0, 0, 0, 0, 0 } },
    { "is_congested", call_congested,          { 0, 0, 0, 0, 0, 0, 0 } },
    { "is_established", call_established,      { 0, 0, 1, 1, 1, 1, 1 } },
    { "peer_subject", call_subject,            { 0, 0, SKIP, SKIP, SKIP, SKIP, SKIP } },
};

/** Brings one of the pair to a place, with nothing left to send or to read. */
static tlsmem *bring(place where, end *e)
{
    static unsigned char bytes[65536];
    tlsmem_ctx **ctx = contexts[where == OPEN12];
    end_open(&client, ctx[0], FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, ctx[1], FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    if (where == FRESH)
        return e->c;
    if (where == SHAKING) {
        ptrdiff_t n = end_take(&client, bytes, sizeof bytes);
        if (e == &server)
            MUST(end_give(&server, bytes, (size_t)n / 2) == (size_t)n / 2);
        return e->c;
    }
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    if (where == CLOSING || where == CLOSED)
        MUST(tlsmem_close(e->c) == TLSMEM_OK);
    if (where == CLOSED) {
        (e == &client ? &server : &client)->close_on_eof = 1;
        MUST(wire_run(&pair_wire, both_ended));
    }
    if (where == FAILED)
        MUST(tlsmem_feed_eof(e->c) == TLSMEM_ETRUNCATED);
    if (where == CLOSING || where == FAILED)
        while (end_take(e, bytes, sizeof bytes) > 0)
            ;
    return e->c;
}

static void try(size_t row, place where, end *e)
{
    long expected = table[row].expected[where], got;
    if (expected == SKIP)
        return;
    situation("tlsmem_%s of a %s %s", table[row].name, e == &client ? "client" : "server", place_names[where]);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, spare) == 0);
    tlsmem *c = bring(where, e);
    got = table[row].call(c);
    if (expected == WHY || expected == WHY_STA)
        expected = expected == WHY ? failure_of(c) : OR(failure_of(c), TLSMEM_ESTATE);
    if (expected >= 1000000)
        CHECK(OR(got, (1000000 - expected) % 1000) == expected || OR((1000000 - expected) / 1000, got) == expected,
              "%s (%ld)", tlsmem_status_name((int)got), got);
    else
        CHECK(got == expected, "%s (%ld), expected %s (%ld)", tlsmem_status_name((int)got), got,
              tlsmem_status_name((int)expected), expected);
    CHECK(e->wrong == 0 && e->closes <= 1, "%d wrong callbacks, on_close %d times", e->wrong, e->closes);
    end_finish(&client);
    end_finish(&server);
    close(spare[0]);
    close(spare[1]);
}

/** Calls of the buffers face while there is an fd, and of the fd face while there is a loop. */
static void wrong_face(void)
{
    const void *bytes;
    size_t n;
    tlsmem_loop *other = tlsmem_loop_new();
    scene s = { "calls of another face", TLSMEM_TLS1_3, FACE_FD, FACE_REGISTRY, NULL };
    pair_establish(&s);
    for (int i = 0; i < 2; i++) {
        end *e = i == 0 ? &client : &server;
        CHECK_STATUS(tlsmem_feed(e->c, "x", 1), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_feed_eof(e->c), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_feed_error(e->c, EPIPE), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_outgoing_peek(e->c, &bytes, &n), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_outgoing_consume(e->c, 0), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_set_fd(e->c, e->fd), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_set_fd(e->c, 0), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_fd(e->c), e->fd);
    }
    CHECK_STATUS(tlsmem_on_readable(server.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_on_writable(server.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_add(server.loop, server.c, server.fd), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_add(other, server.c, server.fd), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_add(other, client.c, server.fd), TLSMEM_ESTATE); /* it has another */
    CHECK_STATUS(tlsmem_loop_remove(other, server.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_remove(other, client.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_watch(server.loop, server.fd, POLLIN,
                                   (void (*)(tlsmem_loop *, int, int, void *))abort, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_watch(server.loop, server.fd, 0, NULL, NULL), TLSMEM_ESTATE);
    client.to_send = server.to_send = 1000;
    wire_settle(&pair_wire);
    CHECK(client.received == 1000 && server.received == 1000, "it goes on no more after wrong calls");
    pair_close();
    tlsmem_loop_free(other);
}

static int run_inside, run_once_inside;

static void run_again(void *arg)
{
    run_inside = tlsmem_loop_run(arg);
    run_once_inside = tlsmem_loop_run_once(arg, 0);
    tlsmem_loop_stop(arg);
}

static void run_within_run(void)
{
    situation("tlsmem_loop_run inside a callback of the loop");
    CHECK_STATUS(tlsmem_loop_post(loop, run_again, loop), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_run(loop), TLSMEM_OK);
    CHECK_STATUS(run_inside, TLSMEM_ESTATE);
    CHECK_STATUS(run_once_inside, TLSMEM_ESTATE);
    situation("a loop with nothing in it");
    CHECK_STATUS(tlsmem_loop_run(loop), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_stop(loop), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_stop(loop), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_wake(loop), TLSMEM_OK);
    CHECK(tlsmem_loop_run_once(loop, -1) >= 0, "a stopped loop waits");
    CHECK_STATUS(tlsmem_loop_run_once(loop, 0), 0);
}

void wrong_states(void)
{
    loop = tlsmem_loop_new();
    MUST(loop != NULL);
    int before = open_descriptors();
    for (int i = 0; i < 4; i++) {
        tlsmem_ctx **ctx = &contexts[i / 2][i % 2];
        *ctx = context(i % 2 == 0 ? TLSMEM_CLIENT : TLSMEM_SERVER, i / 2 == 0 ? TLSMEM_TLS1_3 : TLSMEM_TLS1_2);
        MUST(tlsmem_ctx_set_renegotiation(*ctx, 1) == TLSMEM_OK);
    }
    for (size_t row = 0; row < sizeof table / sizeof *table; row++)
        for (int where = 0; where < PLACES; where++) {
            try(row, (place)where, &client);
            try(row, (place)where, &server);
        }
    for (int i = 0; i < 4; i++)
        tlsmem_ctx_free(contexts[i / 2][i % 2]);
    wrong_face();
    run_within_run();
    CHECK(open_descriptors() == before, "descriptors leaked");
    tlsmem_loop_free(loop);
}
