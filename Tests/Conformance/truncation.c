/*
 * The end of file at every place it can come, and deadlines: each its own status, and what came before is delivered.
 */
#include "pair.h"

#include <poll.h>
#include <sys/socket.h>

/** The peer is gone after data, without close_notify. */
static void cut_off(const scene *s, end *victim, end *other, direction *d)
{
    pair_establish(s);
    other->to_send = 40000;
    wire_settle(&pair_wire);
    d->cut_off = 1; /* the alert that `other` owes us is lost as well */
    end_give_eof(victim);
    wire_settle(&pair_wire);
    CHECK_ENDED(*victim, TLSMEM_ETRUNCATED);
    CHECK(victim->received == 40000 && victim->wrong == 0, "received %llu", (unsigned long long)victim->received);
    CHECK(victim->eofs == 0, "on_eof without a close_notify");
    CHECK(victim->report.close_notify_received == 0, "the report knows a close_notify that never came");
    pair_close();
}

static void server_is_cut_off(const scene *s) { cut_off(s, &server, &client, &pair_wire.up); }
static void client_is_cut_off(const scene *s) { cut_off(s, &client, &server, &pair_wire.down); }

/** The end of file inside a record: what was whole before it is delivered. */
static void cut_inside_record(const scene *s)
{
    pair_establish(s);
    client.to_send = 40000;
    end_step(&client);
    static unsigned char bytes[131072];
    size_t held = 0;
    for (int turn = 0; turn < 64; turn++) {
        end_drive(&client);
        ptrdiff_t got = end_take(&client, bytes + held, sizeof bytes - held);
        held += got > 0 ? (size_t)got : 0;
    }
    CHECK(held > 40000, "%zu bytes of ciphertext", held);
    for (size_t given = 0; given < held - 1;) {
        size_t taken = end_give(&server, bytes + given, held - 1 - given);
        if (taken == 0)
            break;
        given += taken;
    }
    pair_wire.up.cut_off = 1;
    end_give_eof(&server);
    wire_settle(&pair_wire);
    CHECK_ENDED(server, TLSMEM_ETRUNCATED);
    CHECK(server.received < 40000 && server.received >= 40000 - 16384 && server.wrong == 0, "received %llu",
          (unsigned long long)server.received);
    pair_close();
}

/** How many bytes of the handshake a victim gets before the end of file. */
static size_t allowance;

static int up_to_allowance(direction *d)
{
    size_t left = allowance - (size_t)d->given;
    if (d->length >= left) {
        d->length = left;
        d->ended = 1;
    }
    return 0;
}

static void eof_in_handshake(const scene *s, end *victim, direction *d)
{
    static const size_t places[] = { 0, 1, 4, 5, 6, 60, 100, 127 };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        pair_open(s);
        allowance = places[i];
        d->meddle = up_to_allowance;
        wire_run(&pair_wire, both_ended);
        CHECK_ENDED(*victim, TLSMEM_EHANDSHAKEEOF);
        CHECK(victim->established == 0, "established after %zu bytes", allowance);
        pair_close();
    }
}

static void server_loses_hello(const scene *s) { eof_in_handshake(s, &server, &pair_wire.up); }
static void client_loses_hello(const scene *s) { eof_in_handshake(s, &client, &pair_wire.down); }

/* ---- deadlines: the clock is the test's, and is moved on by hand */

/** A deadline is announced, does nothing before its time, and ends the connection after it. */
static void passes(end *e, int64_t begun, int64_t length)
{
    int64_t deadline = tlsmem_deadline(e->c);
    CHECK(deadline >= begun + length && deadline <= tlsmem_now() + length, "the deadline is %lld ms after its beginning",
          (long long)(deadline - begun));
    CHECK(want_of(e->c).deadline_ms == deadline, "tlsmem_want and tlsmem_deadline differ");
    CHECK_STATUS(tlsmem_tick(e->c, deadline - 1), TLSMEM_OK);
    CHECK(e->closes == 0, "ended before its time");
    CHECK_STATUS(tlsmem_tick(e->c, deadline), TLSMEM_ETIMEOUT);
    end_drive(e);
    CHECK_ENDED(*e, TLSMEM_ETIMEOUT);
    CHECK_STATUS(tlsmem_tick(e->c, deadline + 1), TLSMEM_ETIMEOUT);
}

static void handshake_deadline(const scene *s)
{
    int64_t begun = tlsmem_now();
    pair_open(s);
    pair_wire.up.cut_off = pair_wire.down.cut_off = 1;
    for (int turn = 0; turn < 4; turn++)
        wire_turn(&pair_wire);
    IGNORE(tlsmem_handshake(client.c));
    IGNORE(tlsmem_handshake(server.c));
    passes(&client, begun, 10000);
    passes(&server, begun, 10000);
    pair_close();
}

static void close_deadline(const scene *s)
{
    pair_establish(s);
    client.to_send = 100;
    wire_settle(&pair_wire);
    CHECK(tlsmem_deadline(client.c) == -1, "a deadline while open");
    int64_t begun = tlsmem_now();
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    pair_wire.up.cut_off = pair_wire.down.cut_off = 1;
    wire_settle(&pair_wire);
    CHECK_STATUS(state_of(client.c), TLSMEM_STATE_CLOSING);
    passes(&client, begun, 5000);
    CHECK(client.report.bytes_accepted == 100 && client.report.bytes_encrypted == 100, "the report counts wrong");
    pair_close();
}

static void idle_deadline(const scene *s)
{
    pair_establish(s);
    client.to_send = 100;
    int64_t begun = tlsmem_now();
    wire_settle(&pair_wire);
    passes(&server, begun, s->limits->idle_ms);
    wire_settle(&pair_wire);
    pair_close();
}

/** A loop keeps deadlines by itself: nobody calls tlsmem_tick. */
static void kept_by_the_loop(uint32_t handshake_ms, uint32_t idle_ms, uint32_t close_ms)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.handshake_ms = handshake_ms;
    limits.idle_ms = idle_ms;
    limits.close_ms = close_ms;
    scene s = { "deadline kept by the loop", TLSMEM_TLS1_3, FACE_BUFFERS, FACE_REGISTRY, &limits };
    if (handshake_ms == 30)
        pair_open(&s);
    else
        pair_establish(&s);
    situation("a loop keeps deadlines of %u, %u, %u ms", handshake_ms, idle_ms, close_ms);
    if (close_ms == 30)
        CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    for (int turn = 0; turn < 10000 && server.closes == 0; turn++) {
        int timeout = tlsmem_loop_timeout(server.loop);
        if (!CHECK(timeout >= 0 && timeout <= 30, "the loop waits %d ms for a deadline", timeout))
            break;
        CHECK(tlsmem_loop_run_once(server.loop, -1) >= 0, "run_once failed");
    }
    CHECK_ENDED(server, TLSMEM_ETIMEOUT);
    pair_close();
}

int main(void)
{
    tlsmem_limits idle = TLSMEM_LIMITS_INIT;
    idle.idle_ms = 60000;
    begin("truncation");
    int descriptors = open_descriptors();
    every_pair("the server is cut off", NULL, server_is_cut_off);
    every_pair("the client is cut off", NULL, client_is_cut_off);
    every_pair("cut off inside a record", NULL, cut_inside_record);
    every_pair("end of file in the ClientHello", NULL, server_loses_hello);
    every_pair("end of file in the server's answer", NULL, client_loses_hello);
    every_pair("handshake deadline", NULL, handshake_deadline);
    every_pair("close deadline", NULL, close_deadline);
    every_pair("idle deadline", &idle, idle_deadline);
    kept_by_the_loop(30, 0, 5000);
    kept_by_the_loop(10000, 30, 5000);
    kept_by_the_loop(10000, 0, 30);
    CHECK(open_descriptors() == descriptors, "descriptors leaked");
    return finish();
}
