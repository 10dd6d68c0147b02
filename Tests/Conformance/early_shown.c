/*
 * What a server's program may do with early data: answer it, leave it, read it, pause, close, free; and what becomes of it
 * when the handshake is never done.
 */
#include "early.h"

static tlsmem_ctx *from, *to;
static tlsmem_session *session;

/** The client's early data has come to the server, and nothing that it says after that. */
static void begin_with(face f, int knows, size_t size, void (*inside)(tlsmem *c))
{
    early_open(from, to, FACE_BUFFERS, f, knows);
    MUST(session != NULL);
    early_offer(session);
    session = NULL;
    seen.inside = inside;
    CHECK(early_write(size) == size, "not all was taken");
    early_flight();
    CHECK(knows ? seen.bytes > 0 : seen.calls == 0, "%d calls", seen.calls);
}

static void end_with(void)
{
    early_run(5000);
    session = early_end(TLSMEM_EARLY_ACCEPTED);
}

/** After a visit that brought no session. */
static void end_without(void)
{
    early_free();
    session = early_session(from, to);
}

static void answers(tlsmem *c)
{
    static unsigned char bytes[20000];
    if (server.sent > 0)
        return;
    pattern_fill(bytes, server.stream, 0, sizeof bytes);
    CHECK_STATUS(tlsmem_write(c, bytes, sizeof bytes), sizeof bytes);
    server.sent = sizeof bytes;
}

/** The answer comes to the client while the server's handshake is not done; the tickets come by themselves. */
static void answered(face f)
{
    unsigned char bytes[40000];
    situation("answered at once, %s", face_names[f]);
    begin_with(f, 1, 1000, answers);
    for (ptrdiff_t n; (n = end_take(&server, bytes, sizeof bytes)) > 0;)
        end_give(&client, bytes, (size_t)n);
    CHECK(client.received == server.sent, "%llu bytes of the answer", (unsigned long long)client.received);
    CHECK(client.established && !server.established, "established: %d, %d", client.established, server.established);
    CHECK(tlsmem_session_get(client.c) == NULL, "a ticket for somebody who is not known yet");
    CHECK_STATUS(tlsmem_key_update(server.c, 0), TLSMEM_ESTATE);
    wire_settle(&pair_wire);
    tlsmem_session *next = tlsmem_session_get(client.c);
    CHECK(server.established && next != NULL, "no ticket");
    tlsmem_session_free(next);
    end_with();
}

/** What was written before nobody answers: it waits, because the program may not know to whom it would go. */
static void greeted(void)
{
    situation("a greeting waits for the handshake");
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 0);
    server.to_send = 10;
    end_step(&server);
    early_offer(session);
    CHECK(early_write(10) == 10, "not all was taken");
    early_flight();
    CHECK_STATUS(want_of(server.c).deferred_bytes, 10);
    end_with();
}

/** More of it than incoming_max, and a program that is paused, or has no callbacks, and knows nothing. */
static void kept(int paused)
{
    char byte;
    tlsmem_callbacks none = TLSMEM_CALLBACKS_INIT;
    situation("%s keeps more than incoming_max", paused ? "paused, it" : "without callbacks, it");
    early_open(from, to, FACE_FD, FACE_FD, 0);
    early_offer(session);
    if (paused)
        MUST(tlsmem_pause(server.c) == TLSMEM_OK);
    else
        MUST(tlsmem_set_callbacks(server.c, &none, NULL) == TLSMEM_OK);
    CHECK(early_write(60000) == 60000, "not all was taken");
    early_flight();
    CHECK(want_of(server.c).has_plaintext == 0 && want_of(server.c).incoming_bytes == 0, "it may be read");
    CHECK_STATUS(tlsmem_read(server.c, &byte, 1), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_is_established(server.c), 0);
    wire_settle(&pair_wire);
    CHECK_STATUS(tlsmem_is_established(server.c), 1);
    CHECK_STATUS(want_of(server.c).incoming_bytes, 60000);
    CHECK_STATUS(want_of(server.c).needs_ciphertext, 0);
    MUST(tlsmem_set_callbacks(server.c, &end_callbacks, &server) == TLSMEM_OK);
    server.established = 1;
    if (!paused)
        end_drive(&server);
    CHECK_STATUS(tlsmem_resume(server.c), TLSMEM_OK);
    end_with();
}

/** Read by call: some of it early, the rest later. */
static void read_by_call(void)
{
    static unsigned char bytes[60000];
    situation("read by call");
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 0);
    early_offer(session);
    CHECK(early_write(60000) == 60000, "not all was taken");
    early_flight();
    CHECK_STATUS(tlsmem_read_early(server.c, bytes, 0), 0);
    for (size_t most = 100; most < 20000; most *= 7) {
        ptrdiff_t n = tlsmem_read_early(server.c, bytes, most);
        CHECK(n == (ptrdiff_t)most && pattern_differs(bytes, 0, server.received, most) == most, "%zd bytes", n);
        server.received += most;
    }
    answers(server.c);
    CHECK(want_of(server.c).deferred_bytes == 0, "the answer waits");
    end_with();
}

/* ---- in the callback */

static void closes(tlsmem *c) { tlsmem_close(c); }
static void aborts(tlsmem *c) { tlsmem_abort(c); }
static void frees(tlsmem *c) { (void)c; end_free_connection(&server); }
static void pauses(tlsmem *c) { MUST(tlsmem_pause(c) == TLSMEM_OK); }

static void ended(face f)
{
    static const struct { const char *name; void (*inside)(tlsmem *c); } ways[] = {
        { "closed", closes }, { "aborted", aborts }, { "freed", frees }
    };
    for (int i = 0; i < 3; i++) {
        situation("%s in the callback, %s", ways[i].name, face_names[f]);
        begin_with(f, 1, 60000, ways[i].inside);
        CHECK_STATUS(seen.calls, 1);
        CHECK(end_ended(&server) && server.closes == !server.freed, "%d times on_close", server.closes);
        if (!server.freed)
            CHECK_ENDED(server, TLSMEM_EABORTED);
        end_without();
    }
}

/** What it writes goes out, and then it closes. */
static void answers_and_closes(tlsmem *c)
{
    answers(c);
    tlsmem_close(c);
}

static void answered_and_closed(face f)
{
    situation("answered and closed in the callback, %s", face_names[f]);
    begin_with(f, 1, 1000, answers_and_closes);
    client.to_send = client.sent;
    client.to_receive = server.to_send = server.sent;
    client.close_when_done = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    session = early_end(TLSMEM_EARLY_ACCEPTED);
}

/** It goes on before the handshake is done, or after that, when it is data like any other. */
static void paused_in_it(int later)
{
    situation("paused in the callback, resumed %s the handshake", later ? "after" : "during");
    begin_with(FACE_FD, 1, 60000, pauses);
    CHECK_STATUS(seen.calls, 1);
    seen.inside = NULL;
    if (later)
        wire_settle(&pair_wire);
    CHECK_STATUS(server.established, later);
    tlsmem_resume(server.c);
    CHECK(later ? seen.calls == 1 : seen.bytes == 60000, "%d calls", seen.calls);
    end_with();
}

/* ---- without an end of the handshake */

static void broken(int knows)
{
    char byte;
    situation("the client is gone, %s", knows ? "shown" : "kept");
    begin_with(FACE_FD, knows, 1000, NULL);
    end_give_eof(&server);
    CHECK_ENDED(server, TLSMEM_EHANDSHAKEEOF);
    CHECK(server.received == (knows ? 1000 : 0), "%llu bytes", (unsigned long long)server.received);
    CHECK_STATUS(tlsmem_read(server.c, &byte, 1), TLSMEM_EHANDSHAKEEOF);
    CHECK_STATUS(tlsmem_read_early(server.c, &byte, 1), TLSMEM_EHANDSHAKEEOF);
    end_without();
}

/** The client has nothing more to say. */
static void closed_behind_it(void)
{
    situation("the client closes behind it");
    early_open(from, to, FACE_FD, FACE_FD, 1);
    early_offer(session);
    CHECK(early_write(1000) == 1000, "not all was taken");
    server.close_on_eof = 1;
    client.to_send = client.sent;
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    tlsmem_session_free(early_end(TLSMEM_EARLY_ACCEPTED));
    session = early_session(from, to);
}

/* ---- with questions */

static tlsmem_ctx *other;
static tlsmem *held;
static uint64_t token;

static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)user;
    if (other != NULL)
        CHECK_STATUS(tlsmem_set_ctx(c, other), TLSMEM_OK);
    held = c;
    token = hello->token;
    return other != NULL ? TLSMEM_OK : TLSMEM_LATER;
}

static void asked(const char *how, tlsmem_ctx *changes_to, face f, cut_kind kind, tlsmem_early_data expected)
{
    tlsmem_ctx *asks = early_server(100000, 0);
    MUST(tlsmem_ctx_set_client_hello_cb(asks, on_hello, NULL) == TLSMEM_OK);
    situation("a question before it: %s, %s, wire %s", how, face_names[f], cut_names[kind]);
    tlsmem_session *found = NULL;
    other = changes_to;
    for (int visit = 0; visit < 2; visit++) {
        held = NULL;
        early_open(from, asks, f, f, 1);
        pair_wire.how = (cut){ kind, 3 };
        if (visit > 0) {
            early_offer(found);
            CHECK(early_write(20000) == 20000, "not all was taken");
        }
        wire_settle(&pair_wire);
        MUST(held != NULL);
        CHECK(seen.calls == 0 || other != NULL, "shown before it was answered");
        if (other == NULL) {
            CHECK_STATUS(tlsmem_answer(held, token, TLSMEM_OK, NULL), TLSMEM_OK);
            IGNORE(tlsmem_handshake(held));
        }
        early_run(100);
        found = early_end(visit > 0 ? expected : TLSMEM_EARLY_NONE);
    }
    tlsmem_session_free(found);
    tlsmem_ctx_free(asks);
}

static void questions(face f, cut_kind kind)
{
    tlsmem_ctx *much = early_server(100000, 0), *less = early_server(30000, 0);
    asked("answered later", NULL, f, kind, TLSMEM_EARLY_ACCEPTED);
    asked("another context", much, f, kind, TLSMEM_EARLY_ACCEPTED);
    asked("another context with less", less, f, kind, TLSMEM_EARLY_ACCEPTED);
    tlsmem_ctx_free(much);
    tlsmem_ctx_free(less);
}

void early_is_shown(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.incoming_max = 1000;
    limits.incoming_low = 100;
    from = context(TLSMEM_CLIENT, 0);
    to = early_server(100000, 0);
    MUST(tlsmem_ctx_set_limits(to, &limits) == TLSMEM_OK);
    session = early_session(from, to);
    for (face f = FACE_BUFFERS; f <= FACE_REGISTRY; f++) {
        answered(f);
        ended(f);
        answered_and_closed(f);
        questions(f, f == FACE_BUFFERS ? CUT_BYTES : CUT_WHOLE);
    }
    greeted();
    kept(0);
    kept(1);
    read_by_call();
    paused_in_it(0);
    paused_in_it(1);
    broken(0);
    broken(1);
    closed_behind_it();
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}
