/*
 * Early data that is taken: over every pair of faces, however the wire cuts it, known to the server's program or not. When
 * it is refused: early_refused.c; what a program may do with it: early_shown.c; and sent again: early_replayed.c.
 */
#include "early.h"

#include "false_clock.h"

#include <openssl/ssl.h>

shown seen;
static tlsmem_loop *loops[2];

static void on_early_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    end *e = user;
    seen.calls++;
    seen.late += e->established || tlsmem_is_established(c);
    CHECK(n > 0 && c == e->c && !e->freed, "%zu bytes, of a connection that is %s", n, e->freed ? "freed" : "there");
    CHECK(pattern_differs(bytes, e->stream ^ 1, e->received, n) == n, "other bytes");
    CHECK(tlsmem_early_data_status(c) == TLSMEM_EARLY_ACCEPTED, "%d", (int)tlsmem_early_data_status(c));
    CHECK_STATUS(state_of(c), TLSMEM_STATE_HANDSHAKING);
    e->received += n;
    e->activity++;
    seen.bytes += n;
    if (seen.inside != NULL)
        seen.inside(c);
}

tlsmem_ctx *early_server(size_t max_bytes, int keys)
{
    static unsigned char shared[80] = "ticket keys that several contexts have";
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    if (keys)
        MUST(SSL_CTX_set_tlsext_ticket_keys((SSL_CTX *)tlsmem_ctx_native(ctx), shared, sizeof shared) == 1);
    MUST(tlsmem_ctx_set_early_data(ctx, max_bytes) == TLSMEM_OK);
    return ctx;
}

void early_open(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, int knows)
{
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 2; i++)
        MUST((loops[i] = new_loop()) != NULL);
    end_open(&client, from, client_face, loops[0], 0, 0);
    end_open(&server, to, server_face, loops[1], 1, 0);
    MUST(tlsmem_set_early_data_cb(server.c, knows ? on_early_data : NULL, &server) == TLSMEM_OK);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
}

void early_offer(tlsmem_session *session)
{
    MUST(session != NULL);
    CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
    tlsmem_session_free(session);
}

size_t early_write(size_t n)
{
    static unsigned char bytes[131072];
    MUST(n <= sizeof bytes);
    pattern_fill(bytes, client.stream, client.sent, n);
    ptrdiff_t taken = tlsmem_write_early(client.c, bytes, n);
    CHECK(taken > 0 || taken == TLSMEM_AGAIN, "%zd", taken);
    client.sent += taken > 0 ? (uint64_t)taken : 0;
    return taken > 0 ? (size_t)taken : 0;
}

void early_run(uint64_t more)
{
    client.to_send = server.to_receive = client.sent + more;
    server.to_send = client.to_receive = server.sent + more;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

tlsmem_session *early_end(tlsmem_early_data expected)
{
    CHECK_STATUS(tlsmem_early_data_status(client.c), expected);
    CHECK_STATUS(tlsmem_early_data_status(server.c), expected);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    CHECK_STATUS(seen.late, 0);
    CHECK(expected == TLSMEM_EARLY_ACCEPTED || seen.calls == 0, "shown all the same");
    tlsmem_session *session = tlsmem_session_get(client.c);
    early_free();
    return session;
}

void early_free(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong,
          server.wrong);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(loops[i]);
}

tlsmem_session *early_session(tlsmem_ctx *from, tlsmem_ctx *to)
{
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
    early_run(100);
    return early_end(TLSMEM_EARLY_NONE);
}

void early_flight(void)
{
    static unsigned char bytes[131072];
    end_drive(&client);
    for (ptrdiff_t n; (n = end_take(&client, bytes, sizeof bytes)) > 0;)
        for (size_t given = 0; given < (size_t)n && !end_ended(&server);)
            given += end_give(&server, bytes + given, (size_t)n - given);
}

static void exchange(tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session **session, face client_face, face server_face,
                     cut_kind how, size_t size, int knows)
{
    situation("%zu bytes, %s client, %s server, wire %s, %s", size, face_names[client_face], face_names[server_face],
              cut_names[how], knows ? "shown" : "kept");
    early_open(from, to, client_face, server_face, knows);
    pair_wire.how = (cut){ how, size };
    early_offer(*session);
    CHECK(tlsmem_early_data_status(client.c) == TLSMEM_EARLY_NONE, "known before");
    CHECK(early_write(size) == size, "not all was taken");
    CHECK_STATUS(want_of(client.c).deferred_bytes, size);
    early_run(20000);
    CHECK(seen.bytes == (knows ? size : 0), "%llu bytes were shown", (unsigned long long)seen.bytes);
    *session = early_end(TLSMEM_EARLY_ACCEPTED);
}

static void every_face(void)
{
    static const size_t sizes[] = { 1, 16384, 70000 };
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = early_server(100000, 0);
    tlsmem_session *session = early_session(from, to);
    for (int faces = 0; faces < 9; faces += short_run() ? 4 : 1)
        for (int how = CUT_WHOLE; how <= CUT_SEEDED; how++)
            for (int knows = 0; knows < 2; knows++)
                exchange(from, to, &session, (face)(faces / 3), (face)(faces % 3), (cut_kind)how,
                         sizes[(faces + how) % 3], knows);
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** With client certificates, which are in the ticket and are verified anew. */
static void known_client(void)
{
    situation("a client with a certificate");
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = early_server(1000, 0);
    MUST(tlsmem_ctx_set_cert_file(from, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(from, certificate("client.key")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ca_file(to, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(to, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    tlsmem_session *session = early_session(from, to);
    early_open(from, to, FACE_FD, FACE_FD, 1);
    early_offer(session);
    CHECK(early_write(1000) == 1000, "not all was taken");
    early_run(10);
    CHECK_STATUS(seen.bytes, 1000);
    CHECK(tlsmem_peer_certificate(server.c, NULL, 0) > 0, "nobody knows who the client is");
    tlsmem_session_free(early_end(TLSMEM_EARLY_ACCEPTED));
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

int main(void)
{
    begin("early");
    false_clock_hold_day(); /* a ticket that is ten seconds older than the client says brings none */
    every_face();
    known_client();
    early_is_refused();
    early_is_shown();
    early_is_replayed();
    return finish();
}
