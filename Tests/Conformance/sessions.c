/*
 * A client comes back with a session: over every pair of faces, by tickets and by ids, with the newest ticket each time;
 * and when the server declines. What is refused is in sessions_refused.c, sessions as bytes are in sessions_bytes.c.
 */
#include "sessions.h"

#include <openssl/ssl.h>
#include <time.h>

static int same(const tlsmem_session *one, const tlsmem_session *other)
{
    size_t n, other_n;
    unsigned char *bytes = bytes_of(one, &n), *others = bytes_of(other, &other_n);
    int are_same = n == other_n && memcmp(bytes, others, n) == 0;
    free(bytes);
    free(others);
    return are_same;
}

/** The server keeps the sessions, and the client only has their ids; in TLS 1.3 tickets that are no more than that. */
static tlsmem_ctx *server_without_tickets(int version)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    SSL_CTX_set_options(tlsmem_ctx_native(ctx), SSL_OP_NO_TICKET);
    return ctx;
}

static void again_and_again(int version, face client_face, face server_face, int tickets)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version);
    tlsmem_ctx *to = tickets ? context(TLSMEM_SERVER, version) : server_without_tickets(version);
    tlsmem_session *session = NULL;
    situation("five visits by %s, TLS 1.%d: %s client, %s server", tickets ? "ticket" : "id", version - 0x0301,
              face_names[client_face], face_names[server_face]);
    for (int i = 0; i < 5; i++) {
        visit_open(from, to, client_face, server_face);
        tlsmem_session *next = visit_go_on(session, i > 0);
        CHECK(next != NULL, "visit %d brought no session", i);
        if (version == TLSMEM_TLS1_3 && session != NULL && next != NULL)
            CHECK(!same(session, next), "visit %d has the ticket of the one before", i);
        tlsmem_session_free(session);
        session = next;
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** Gives one record of what waits to the client. */
static void give_record(unsigned char *bytes, size_t *n)
{
    size_t record = 5 + ((size_t)bytes[3] << 8 | bytes[4]);
    MUST(*n >= record && end_give(&client, bytes, record) == record);
    memmove(bytes, bytes + record, *n -= record);
}

/** When there is one: in TLS 1.2 with the handshake, in TLS 1.3 with each ticket, the two of which come before the data. */
static void newest(int version)
{
    static unsigned char bytes[65536];
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    tlsmem_session *first = visit(from, to, NULL, 0), *found[4] = { NULL };
    int tickets = version == TLSMEM_TLS1_3 ? 2 : 0;
    situation("the newest session, TLS 1.%d", version - 0x0301);
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    found[0] = tlsmem_session_get(client.c);
    CHECK((found[0] == NULL) == (tickets > 0), "the handshake brings %s session", found[0] == NULL ? "no" : "a");
    server.to_send = 10;
    end_step(&server);
    size_t n = (size_t)end_take(&server, bytes, sizeof bytes);
    for (int i = 1; i <= tickets + 1; i++) {
        CHECK_STATUS(client.received, 0);
        give_record(bytes, &n);
        MUST((found[i] = tlsmem_session_get(client.c)) != NULL);
        if (found[i - 1] != NULL)
            CHECK(same(found[i - 1], found[i]) == (i > tickets), "session %d", i);
        CHECK(tlsmem_session_expires(found[i]) - time(NULL) > 7000, "session %d is over", i);
    }
    CHECK(client.received == 10 && n == 0, "%llu bytes, %zu behind them", (unsigned long long)client.received, n);
    visit_end();

    situation("the newest session of one that was resumed, TLS 1.%d", version - 0x0301);
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    CHECK_STATUS(tlsmem_session_set(client.c, first), TLSMEM_OK);
    CHECK_STATUS(tlsmem_session_set(client.c, found[tickets + 1]), TLSMEM_OK); /* that counts */
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    CHECK_STATUS(tlsmem_is_resumed(client.c), 1);
    tlsmem_session *used = tlsmem_session_get(client.c);
    CHECK((used == NULL) == (tickets > 0), "%s session, before a new ticket has come", used == NULL ? "no" : "a");
    visit_run();
    visit_end();
    tlsmem_session_free(visit(from, to, first, 1));
    tlsmem_session_free(used);
    for (int i = 0; i < 4; i++)
        tlsmem_session_free(found[i]);
    tlsmem_session_free(first);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** A session outlives its connection and its context, and is good for another one; a server that does not know it declines. */
static void elsewhere(int version)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    situation("another context, another server, TLS 1.%d", version - 0x0301);
    tlsmem_session *session = visit(from, to, NULL, 0);
    tlsmem_ctx_free(from);
    from = context(TLSMEM_CLIENT, 0);
    tlsmem_session *second = visit(from, to, session, 1);
    tlsmem_ctx *stranger = context(TLSMEM_SERVER, version);
    tlsmem_session *strangers = visit(from, stranger, second, 0);
    MUST(second != NULL && strangers != NULL);
    tlsmem_session_free(visit(from, stranger, strangers, 1));
    CHECK_STATUS(tlsmem_session_get(NULL) != NULL, 0);
    tlsmem_session_free(session);
    tlsmem_session_free(second);
    tlsmem_session_free(strangers);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(stranger);

    situation("a server that gives none, TLS 1.%d", version - 0x0301);
    from = context(TLSMEM_CLIENT, version), to = server_without_tickets(version);
    SSL_CTX_set_session_cache_mode(tlsmem_ctx_native(to), SSL_SESS_CACHE_OFF);
    MUST(tlsmem_ctx_set_tickets(to, 0) == TLSMEM_OK);
    CHECK(visit(from, to, NULL, 0) == NULL, "there is one all the same");
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** In every callback it is taken, written down, offered (too late), and freed; and in one of them the connection too. */
static event last;
static void in_callback(end *e, event what)
{
    tlsmem_session *session = tlsmem_session_get(e->c);
    if (session != NULL) {
        CHECK(tlsmem_session_to_bytes(session, NULL, 0) > 0, "no bytes of it");
        CHECK_STATUS(tlsmem_session_set(e->c, session), TLSMEM_ESTATE);
        tlsmem_session_free(e->test);
        e->test = session;
    }
    if (what == last)
        end_free_connection(e);
}

static void inside_callbacks(int version)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = context(TLSMEM_SERVER, version);
    tlsmem_session *session = visit(from, to, NULL, 0);
    for (last = EVENT_ESTABLISHED; last < EVENTS; last++) {
        situation("inside callbacks, TLS 1.%d, until event %d", version - 0x0301, (int)last);
        visit_open(from, to, FACE_FD, FACE_FD);
        client.hook = in_callback;
        CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
        client.to_send = client.to_receive = server.to_send = server.to_receive = 1000;
        client.close_when_done = server.close_on_eof = 1;
        wire_run(&pair_wire, both_ended);
        CHECK(version == TLSMEM_TLS1_3 && last == EVENT_ESTABLISHED ? client.test == NULL : client.test != NULL,
              "event %d: %s session", (int)last, client.test == NULL ? "no" : "a");
        tlsmem_session_free(client.test);
        visit_end();
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

int main(void)
{
    begin("sessions");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        for (int pair = 0; pair < 9; pair += short_run() ? 4 : 1)
            for (int tickets = 0; tickets < 2; tickets++)
                again_and_again(version, (face)(pair / 3), (face)(pair % 3), tickets);
        newest(version);
        elsewhere(version);
        inside_callbacks(version);
        sessions_refused(version);
        sessions_as_bytes(version);
    }
    return finish();
}
