/*
 * tlsmem_want and tlsmem_interest are two views of one truth: a loop that polls by the one does what a loop that polls
 * by the other does.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void agree(const char *when)
{
    end *const both[2] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        tlsmem_want_info want = want_of(both[i]->c);
        int wanted = (want.needs_ciphertext ? POLLIN : 0) | (want.has_ciphertext ? POLLOUT : 0);
        CHECK(tlsmem_interest(both[i]->c) == wanted, "%s: the %s's interest is %d, want says %d, in state %d", when,
              i == 0 ? "client" : "server", tlsmem_interest(both[i]->c), wanted, (int)want.state);
        CHECK(tlsmem_deadline(both[i]->c) == want.deadline_ms, "%s: two deadlines", when);
    }
}

static const ends sockets = { .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD, .direct = 1 };

/** Says what was done, does it, and compares. */
#define THEN(call) do { (void)(call); agree(#call); } while (0)

static void settle_and_agree(void)
{
    for (int turn = 0; turn < 8; turn++) {
        end_drive(&client);
        agree("the client was driven");
        end_drive(&server);
        agree("the server was driven");
    }
}

static void a_session(int version)
{
    ends how = sockets;
    how.version = version;
    open_ends(&how);
    agree("they are new");
    settle_and_agree();
    MUST(client.established && server.established);
    THEN(tlsmem_pause(server.c));
    say(&client, 1000000);
    agree("more was written than the socket takes");
    settle_and_agree();
    CHECK(want_of(server.c).has_plaintext && want_of(client.c).has_ciphertext, "nothing waits");
    CHECK_STATUS(tlsmem_read(server.c, (char[1000]){ 0 }, 1000), 1000);
    agree("some of it was read");
    server.received += 1000; /* the pattern goes on where tlsmem_read stopped */
    THEN(tlsmem_resume(server.c));
    for (int turn = 0; turn < 20; turn++)
        settle_and_agree();
    CHECK(server.received == 1000000, "%llu received", (unsigned long long)server.received);
    THEN(tlsmem_close_write(client.c));
    settle_and_agree();
    CHECK(want_of(server.c).peer_closed, "the peer has not closed");
    CHECK(want_of(server.c).needs_ciphertext == 1, "after close_notify it does not want the FIN");
    say(&server, 100000);
    agree("the server goes on writing");
    settle_and_agree();
    THEN(tlsmem_close(server.c));
    settle_and_agree();
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    agree("they have ended");
    close_ends();
}

static void whole_sessions(void)
{
    a_session(TLSMEM_TLS1_2);
    a_session(TLSMEM_TLS1_3);
}

/** A paused connection whose queue is full wants nothing, and a loop that polls for want comes to rest. */
static void full_queue(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.incoming_max = 20000;
    ends how = sockets;
    how.server_limits = &limits;
    establish_ends(&how);
    THEN(tlsmem_pause(server.c));
    say(&client, 200000);
    settle_and_agree();
    CHECK(want_of(server.c).needs_ciphertext == 0, "it wants more than it may keep");
    THEN(tlsmem_abort(server.c));
    THEN(tlsmem_abort(client.c));
    close_ends();
}

/** The peer breaks the protocol right behind the record that fills the queue: the alert lingers, the queue is full. */
static void full_queue_while_lingering(void)
{
    static unsigned char bytes[65536];
    const tlsmem_callbacks pull = TLSMEM_CALLBACKS_INIT;
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.incoming_max = 16384;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_face = FACE_FD, .server_limits = &limits });
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &pull, &server), TLSMEM_OK);
    say(&client, 16384);
    ptrdiff_t got = end_take(&client, bytes, sizeof bytes - 5);
    MUST(got > 16384);
    memcpy(bytes + got, "junk.", 5);
    MUST(send(server.outer, bytes, (size_t)got + 5, MSG_NOSIGNAL) == got + 5);
    tlsmem_on_readable(server.c);
    tlsmem_on_readable(server.c);
    CHECK(state_of(server.c) == TLSMEM_STATE_CLOSING && want_of(server.c).incoming_bytes == 16384,
          "state %d, %zu bytes wait", (int)state_of(server.c), want_of(server.c).incoming_bytes);
    CHECK(tlsmem_interest(server.c) == POLLIN && want_of(server.c).needs_ciphertext == 1, "interest %d, want %d",
          tlsmem_interest(server.c), want_of(server.c).needs_ciphertext);
    shutdown(server.outer, SHUT_WR);
    tlsmem_on_readable(server.c);
    CHECK(state_of(server.c) == TLSMEM_STATE_CLOSED, "FIN does not end it");
    close_ends();
}

static uint64_t question;

static int answer_later(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    (void)c, (void)user;
    question = request->token;
    return TLSMEM_LATER;
}

static void request_shown(tlsmem *c, void *user)
{
    (void)c, (void)user;
}

/** All that one says goes to the other. */
static void carry(end *from, end *to)
{
    static unsigned char bytes[65536];
    for (ptrdiff_t n; (n = end_take(from, bytes, sizeof bytes)) > 0;)
        CHECK(end_give(to, bytes, (size_t)n) == (size_t)n, "not all was taken");
}

/** What was written has gone, but on_drain has to wait for the answer. */
static void due_while_a_question_is_open(void)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    tlsmem_ctx *from = context(TLSMEM_CLIENT, TLSMEM_TLS1_3), *to = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    MUST(tlsmem_ctx_set_post_handshake_auth(from, 1) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_client_cert_cb(from, answer_later, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ca_file(to, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(to, TLSMEM_VERIFY_LATER) == TLSMEM_OK);
    end_open(&client, from, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, to, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    question = 0;
    say(&client, 900000);
    MUST(tlsmem_is_congested(client.c));
    CHECK_STATUS(tlsmem_request_certificate(server.c, request_shown, NULL), TLSMEM_OK);
    carry(&server, &client);
    MUST(question != 0);
    carry(&client, &server);
    for (int tick = 0; tick < 3; tick++) {
        IGNORE(tlsmem_tick(client.c, tlsmem_now()));
        int64_t deadline = tlsmem_deadline(client.c);
        CHECK(deadline < 0 || deadline > tlsmem_now(), "something is due again and again");
    }
    CHECK(client.drains == 0 && want_of(client.c).outgoing_bytes == 0, "%d on_drain, %zu bytes wait", client.drains,
          want_of(client.c).outgoing_bytes);
    CHECK_STATUS(tlsmem_answer(client.c, question, TLSMEM_OK, &reply), TLSMEM_OK);
    IGNORE(tlsmem_handshake(client.c));
    CHECK(client.drains == 1, "%d on_drain after the answer", client.drains);
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

const regression interest_regressions[] = {
    { "wants one thing and polls for another", whole_sessions },
    { "spins when it is paused and its queue is full", full_queue },
    { "does not want the FIN it waits for while its alert lingers", full_queue_while_lingering },
    { "has on_drain due all the time while a question is open", due_while_a_question_is_open },
    { NULL, NULL }
};
