/*
 * Early data that is sent again, by whoever has recorded it or by a client that uses its ticket twice, comes to nothing:
 * to the same context, and to any other of the process that reads the same tickets.
 */
#include "early.h"
#include "false_clock.h"

static unsigned char recorded[131072];
static size_t recorded_bytes;

/** The client's first flight: a ClientHello, and early data behind it. */
static void record(tlsmem_ctx *from, tlsmem_ctx *to, tlsmem_session *session)
{
    early_open(from, to, FACE_BUFFERS, FACE_BUFFERS, 1);
    early_offer(session);
    CHECK(early_write(3000) == 3000, "not all was taken");
    recorded_bytes = 0;
    for (ptrdiff_t n; (n = end_take(&client, recorded + recorded_bytes, sizeof recorded - recorded_bytes)) > 0;)
        recorded_bytes += (size_t)n;
    MUST(recorded_bytes > 3000);
}

/** Sends what was recorded to a server, and nothing more: there is nobody who could go on. */
static void replay(tlsmem_ctx *to, int knows, tlsmem_early_data expected)
{
    tlsmem_ctx *nobody = context(TLSMEM_CLIENT, 0);
    early_open(nobody, to, FACE_BUFFERS, FACE_BUFFERS, knows);
    CHECK_STATUS(end_give(&server, recorded, recorded_bytes), recorded_bytes);
    CHECK_STATUS(tlsmem_early_data_status(server.c), expected);
    CHECK_STATUS(server.received, expected == TLSMEM_EARLY_ACCEPTED && knows ? 3000 : 0);
    CHECK_STATUS(state_of(server.c), TLSMEM_STATE_HANDSHAKING);
    char byte;
    CHECK_STATUS(tlsmem_read(server.c, &byte, 1), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_read_early(server.c, &byte, 1),
                 expected == TLSMEM_EARLY_ACCEPTED && !knows ? 1 : TLSMEM_AGAIN);
    end_give_eof(&server);
    CHECK_ENDED(server, TLSMEM_EHANDSHAKEEOF);
    CHECK_STATUS(server.received, expected == TLSMEM_EARLY_ACCEPTED && knows ? 3000 : 0);
    early_free();
    tlsmem_ctx_free(nobody);
}

/** The client itself is never heard of again, or finishes its handshake before the other comes. */
static void recorded_and_replayed(int knows, int is_first, tlsmem_ctx *again)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = early_server(10000, 1);
    tlsmem_session *session = early_session(from, to);
    situation("recorded, and sent %s, %s to %s context", is_first ? "before the client" : "behind the client",
              knows ? "shown" : "kept", again == NULL ? "the same" : "another");
    if (again == NULL)
        again = to;
    record(from, to, session);
    if (is_first) {
        early_free();
        replay(to, knows, TLSMEM_EARLY_ACCEPTED); /* whoever comes first is taken for the client, until the handshake */
    } else {
        CHECK_STATUS(end_give(&server, recorded, recorded_bytes), recorded_bytes);
        early_run(100);
        tlsmem_session_free(early_end(TLSMEM_EARLY_ACCEPTED));
    }
    for (int i = 0; i < 3; i++)
        replay(again, knows, TLSMEM_EARLY_REJECTED);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

/** One ticket, used by the client again and again: it is resumed, and the early data goes out as ordinary data. */
static void used_again(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = early_server(10000, 1), *other = early_server(10000, 1);
    tlsmem_session *session = early_session(from, to);
    situation("a ticket that is used again");
    for (int i = 0; i < 4; i++) {
        early_open(from, i == 2 ? other : to, FACE_BUFFERS, FACE_BUFFERS, 1);
        CHECK_STATUS(tlsmem_session_set(client.c, session), TLSMEM_OK);
        CHECK(early_write(3000) == 3000, "not all was taken");
        early_run(100);
        CHECK_STATUS(tlsmem_is_resumed(server.c), 1);
        CHECK_STATUS(seen.bytes, i == 0 ? 3000 : 0);
        tlsmem_session_free(early_end(i == 0 ? TLSMEM_EARLY_ACCEPTED : TLSMEM_EARLY_REJECTED));
    }
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(other);
}

/** A recording is taken by nobody who reads the ticket, but has forgotten that it was used, once ten seconds are over. */
static void recorded_long_ago(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = early_server(10000, 1);
    tlsmem_session *session = early_session(from, to);
    situation("recorded, and sent for the first time when it is old");
    record(from, to, session);
    early_free();
    false_clock_jump(12);
    replay(to, 1, TLSMEM_EARLY_REJECTED);
    false_clock_jump(-12);
    replay(to, 1, TLSMEM_EARLY_ACCEPTED);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

void early_is_replayed(void)
{
    recorded_long_ago();
    tlsmem_ctx *another = early_server(10000, 1);
    for (int knows = 0; knows < 2; knows++)
        for (int is_first = 0; is_first < 2; is_first++) {
            recorded_and_replayed(knows, is_first, NULL);
            recorded_and_replayed(knows, is_first, another);
        }
    used_again();
    tlsmem_ctx_free(another);
}
