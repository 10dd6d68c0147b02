/*
 * Every function of a connection, in every state, over every face, and from inside a callback: a status that the header
 * names, nothing that hangs, and the connection goes on if the call was none that ends it. The rows are in states.h; a
 * function of the header that has none is a failure (misuse_header.c).
 *
 * What exactly is returned in the states that matter to a call, is in misuse_states.c.
 */
#define _GNU_SOURCE
#include "misuse.h"

#include <sys/socket.h>
#include <unistd.h>

typedef enum state { FRESH, SHAKING, ASKED, OPEN, HALF_OURS, HALF_PEERS, CLOSING, CLOSED, FAILED, STATES } state;
static const char *const state_names[STATES] = {
    "before the handshake", "in the handshake", "waiting for an answer", "open", "half-closed by itself",
    "half-closed by its peer", "closing", "closed", "failed"
};

/** What a call may leave behind: nothing, a change that the pair gets over, or an end. */
typedef enum effect { NONE, CHANGES, ENDS } effect;
static tlsmem_ctx *contexts[2][2], *another; /* TLS 1.3 and 1.2, client and server */
static tlsmem_loop *loop;
static int spare[2];
static uint64_t token;

static int ask_later(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)c, (void)user;
    token = verdict->token;
    return TLSMEM_LATER;
}

static void never_shown(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)c, (void)bytes, (void)n, (void)user;
}

/** A bit for each status that the header names for a call; counts, and what is no status, always may be. */
#define MAY(status) (1ull << -(status))
#define DONE 0ull
#define WAITS MAY(TLSMEM_AGAIN)
#define STATE MAY(TLSMEM_ESTATE)
#define INVAL MAY(TLSMEM_EINVAL)
#define ENDED (MAY(TLSMEM_CLOSED) | MAY(TLSMEM_ETRUNCATED) | MAY(TLSMEM_EHANDSHAKEEOF) | MAY(TLSMEM_EABORTED) \
               | MAY(TLSMEM_ERESET) | MAY(TLSMEM_ENOTTLS))
#define ANY (~0ull)

typedef struct row {
    const char *call;
    ptrdiff_t (*make)(tlsmem *c);
    effect effect;
    unsigned long long may;
} row;

static char text[4096];
static const tlsmem_trace_info piece_of_trace = { .size = sizeof piece_of_trace };
static const void *pointer;
static const char *name;
static size_t length;
#define INFO(type, init) (type[1]){ init }

#define ROW(number, effect, may, expression)                                                    \
    static ptrdiff_t row_##number(tlsmem *c) { return (ptrdiff_t)(expression); }
#include "states.h"
#undef ROW
static const row rows[] = {
#define ROW(number, effect, may, expression) { #expression, row_##number, effect, may },
#include "states.h"
#undef ROW
};

/* ---- the scene */

static ptrdiff_t got;
static const row *inside;

static void call_inside(end *e, event what)
{
    if (inside == NULL || (what != EVENT_DATA && what != EVENT_ESTABLISHED && what != EVENT_CLOSE))
        return;
    const row *r = inside;
    inside = NULL;
    got = r->make(e->c);
}

static void answer(void)
{
    if (token == 0 || client.freed)
        return;
    IGNORE(tlsmem_answer(client.c, token, TLSMEM_OK, NULL));
    IGNORE(tlsmem_handshake(client.c)); /* where no loop wakes it */
    token = 0;
}

/** Brings an end to a state, with nothing under way that its peer has not got. */
static void bring(const scene *s, state where, end *e)
{
    end *peer = e == &client ? &server : &client;
    token = 0;
    end_open(&client, contexts[s->version == TLSMEM_TLS1_2][0], s->client_face, loop, 0, 0);
    end_open(&server, contexts[s->version == TLSMEM_TLS1_2][1], s->server_face, loop, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    if (where == FRESH)
        return;
    for (int turns = 0; turns < (where == SHAKING ? 1 : 20); turns++)
        wire_turn(&pair_wire);
    if (where <= ASKED)
        return;
    answer();
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    if (where == HALF_OURS)
        MUST(tlsmem_close_write(e->c) == TLSMEM_OK);
    if (where == HALF_PEERS)
        MUST(tlsmem_close_write(peer->c) == TLSMEM_OK);
    if (where == CLOSING || where == CLOSED)
        MUST(tlsmem_close(e->c) == TLSMEM_OK);
    if (where == CLOSED) {
        peer->close_on_eof = 1;
        MUST(wire_run(&pair_wire, both_ended));
    }
    if (where == FAILED)
        MUST(tlsmem_abort(e->c) == TLSMEM_OK);
    if (where != CLOSING && where != CLOSED && where != FAILED)
        wire_settle(&pair_wire);
}

/** It does what it would have done without the call. */
static void goes_on(state where, end *e)
{
    static const size_t bytes = 1000;
    end *peer = e == &client ? &server : &client;
    IGNORE(tlsmem_resume(e->c));
    IGNORE(tlsmem_uncork(e->c));
    wire_settle(&pair_wire);
    answer();
    CHECK(wire_run(&pair_wire, both_established), "the handshake does not end");
    if (where != HALF_OURS)
        e->to_send = e->sent + bytes;
    if (where != HALF_PEERS)
        peer->to_send = peer->sent + bytes;
    uint64_t there = e->received, here = peer->received;
    wire_settle(&pair_wire);
    CHECK(where == HALF_PEERS || e->received >= there + bytes, "it hears nothing any more");
    CHECK(where == HALF_OURS || peer->received >= here + bytes, "it says nothing any more");
    client.close_on_eof = server.close_on_eof = 1;
    IGNORE(tlsmem_close(e->c));
    IGNORE(tlsmem_close(peer->c));
    CHECK(wire_run(&pair_wire, both_ended), "it does not end");
    CHECK(client.report.status == TLSMEM_OK && server.report.status == TLSMEM_OK, "they ended with %s and %s",
          tlsmem_status_name(client.report.status), tlsmem_status_name(server.report.status));
}

static void try(const scene *s, const row *r, state where, end *e, int from_inside)
{
    situation("%.80s: of a %s %s%s, %s client, %s server, TLS 1.%d", r->call, e == &client ? "client" : "server",
              state_names[where], from_inside ? ", inside a callback" : "", face_names[s->client_face],
              face_names[s->server_face], s->version - 0x0301);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, spare) == 0);
    bring(s, where, e);
    got = 0;
    if (from_inside) {
        inside = r;
        e->hook = call_inside;
        (e == &client ? &server : &client)->to_send = 100;
        wire_settle(&pair_wire);
        inside = NULL;
    } else {
        got = r->make(e->c);
    }
    CHECK(got >= 0 || (got >= TLSMEM_ESIGN && (r->may & MAY(got)) != 0), "it returned %s (%ld)",
          tlsmem_status_name((int)got), (long)got);
    if (r->effect != ENDS && where < CLOSING)
        goes_on(where, e);
    CHECK(client.wrong == 0 && server.wrong == 0 && client.closes <= 1 && server.closes <= 1,
          "%d and %d wrong callbacks, on_close %d and %d times", client.wrong, server.wrong, client.closes, server.closes);
    end_finish(&client);
    end_finish(&server);
    close(spare[0]);
    close(spare[1]);
}

int main(void)
{
    static const face faces[3][2] = { { FACE_BUFFERS, FACE_BUFFERS }, { FACE_FD, FACE_REGISTRY }, { FACE_REGISTRY, FACE_FD } };
    begin("states");
    loop = new_loop();
    another = context(TLSMEM_SERVER, 0);
    for (int i = 0; i < 4; i++) {
        tlsmem_ctx **ctx = &contexts[i / 2][i % 2];
        *ctx = context(i % 2 == 0 ? TLSMEM_CLIENT : TLSMEM_SERVER, i / 2 == 0 ? TLSMEM_TLS1_3 : TLSMEM_TLS1_2);
        MUST(tlsmem_ctx_set_renegotiation(*ctx, 1) == TLSMEM_OK);
        if (i % 2 == 0)
            MUST(tlsmem_ctx_set_verify_cb(*ctx, ask_later, NULL) == TLSMEM_OK);
    }
    int before = open_descriptors();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int kind = 0; kind < (rows[i].effect == NONE ? 2 : 4); kind++) { /* the last one is TLS 1.2 */
            scene s = { "states", kind / 3 == 0 ? TLSMEM_TLS1_3 : TLSMEM_TLS1_2, faces[kind % 3][0], faces[kind % 3][1], NULL };
            for (int where = 0; where < STATES; where++) {
                try(&s, &rows[i], (state)where, &client, 0);
                try(&s, &rows[i], (state)where, &server, 0);
            }
            try(&s, &rows[i], OPEN, &client, 1);
            try(&s, &rows[i], OPEN, &server, 1);
        }
    CHECK(open_descriptors() == before, "descriptors leaked");
    for (int i = 0; i < 4; i++)
        tlsmem_ctx_free(contexts[i / 2][i % 2]);
    tlsmem_ctx_free(another);
    tlsmem_loop_free(loop);
    no_function_is_forgotten(ROWS_PATH, ROWS_PATH, "tlsmem *c");
    return finish();
}
