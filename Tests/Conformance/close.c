/*
 * The ways a connection ends when both sides behave: nothing is lost, whoever closes, and when.
 */
#include "pair.h"

enum { MEGABYTE = 1024 * 1024 };

/** One side closes, the other answers. */
static void one_closes(const scene *s, end *first, end *second)
{
    pair_establish(s);
    first->to_send = 1000;
    second->to_send = 2000;
    second->close_on_eof = 1;
    wire_settle(&pair_wire);
    CHECK_STATUS(tlsmem_close(first->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(first->c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(*first, TLSMEM_OK);
    CHECK_ENDED(*second, TLSMEM_OK);
    CHECK(first->report.close_notify_sent && first->report.close_notify_received && second->report.close_notify_sent
          && second->report.close_notify_received, "a close_notify is missing");
    CHECK(second->eofs == 1, "on_eof %d times", second->eofs);
    CHECK_DELIVERED(*first, *second);
    CHECK_DELIVERED(*second, *first);
    pair_close();
}

static void client_closes(const scene *s) { one_closes(s, &client, &server); }
static void server_closes(const scene *s) { one_closes(s, &server, &client); }

static void both_close_at_once(const scene *s)
{
    pair_establish(s);
    client.to_send = server.to_send = 5000;
    end_step(&client);
    end_step(&server);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    pair_close();
}

/** After close_write of one side the other sends on, as much as it likes. */
static void half_close(const scene *s, end *first, end *second)
{
    pair_establish(s);
    first->to_send = 3000;
    end_step(first);
    CHECK_STATUS(tlsmem_close_write(first->c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(second->eofs == 1 && second->closes == 0 && first->closes == 0, "on_eof %d times, ended %d and %d times",
          second->eofs, second->closes, first->closes);
    CHECK(want_of(second->c).peer_closed == 1 && want_of(first->c).peer_closed == 0, "peer_closed is wrong");
    CHECK_STATUS(tlsmem_write(first->c, "x", 1), TLSMEM_ESTATE);
    second->to_send = MEGABYTE;
    wire_settle(&pair_wire);
    CHECK(first->received == MEGABYTE, "received %llu", (unsigned long long)first->received);
    CHECK_STATUS(tlsmem_close_write(second->c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(*first, TLSMEM_OK);
    CHECK_ENDED(*second, TLSMEM_OK);
    CHECK_DELIVERED(*first, *second);
    CHECK_DELIVERED(*second, *first);
    pair_close();
}

static void client_half_closes(const scene *s) { half_close(s, &client, &server); }
static void server_half_closes(const scene *s) { half_close(s, &server, &client); }

/** What the peer had sent when we closed is still delivered. */
static void data_in_flight(const scene *s)
{
    pair_establish(s);
    server.to_send = 300000;
    pair_wire.down.cut_off = 1;
    for (int turn = 0; turn < 8; turn++)
        wire_turn(&pair_wire);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(client.closes == 0, "ended before the peer's bytes came");
    pair_wire.down.cut_off = 0;
    server.close_on_eof = 1; /* it may have come already */
    wire_settle(&pair_wire);
    if (!end_ended(&server))
        tlsmem_close(server.c);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(server, client);
    pair_close();
}

/** Written and closed before the handshake: everything goes out once it is done. */
static void close_before_established(const scene *s, end *first, end *second)
{
    pair_open(s);
    first->to_send = 100000;
    end_step(first);
    CHECK(want_of(first->c).deferred_bytes == 100000, "%zu bytes deferred", want_of(first->c).deferred_bytes);
    CHECK_STATUS(tlsmem_close(first->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_write(first->c, "x", 1), TLSMEM_ESTATE);
    second->close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(*first, TLSMEM_OK);
    CHECK_ENDED(*second, TLSMEM_OK);
    CHECK_DELIVERED(*first, *second);
    pair_close();
}

static void client_closes_early(const scene *s) { close_before_established(s, &client, &server); }
static void server_closes_early(const scene *s) { close_before_established(s, &server, &client); }

static void close_at_once(const scene *s)
{
    pair_open(s);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    end_drive(&client);
    end_drive(&server);
    CHECK_ENDED(client, TLSMEM_EABORTED);
    CHECK_ENDED(server, TLSMEM_EABORTED);
    pair_close();
}

/** Nothing of ours is sent after tlsmem_abort, and the peer is told nothing. */
static void aborted(const scene *s)
{
    pair_establish(s);
    client.to_send = 1000;
    wire_settle(&pair_wire);
    CHECK_STATUS(tlsmem_abort(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_abort(client.c), TLSMEM_OK);
    CHECK_ENDED(client, TLSMEM_EABORTED);
    CHECK(client.report.close_notify_sent == 0, "an abort said goodbye");
    wire_settle(&pair_wire);
    CHECK_ENDED(server, TLSMEM_ETRUNCATED);
    CHECK(server.received == 1000, "received %llu", (unsigned long long)server.received);
    pair_close();
}

/** on_eof NULL with on_data set: the library answers a close with a close. */
static void answered_by_the_library(const scene *s)
{
    tlsmem_callbacks quiet = end_callbacks;
    quiet.on_eof = NULL;
    pair_establish(s);
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &quiet, &server), TLSMEM_OK);
    server.to_send = 50000;
    end_step(&server);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(server, client);
    pair_close();
}

/** Bytes written before the first byte of a handshake are the first that the peer reads. */
static void greeting(const scene *s)
{
    pair_open(s);
    server.to_send = 4;
    end_step(&server);
    CHECK(server.sent == 4 && want_of(server.c).state <= TLSMEM_STATE_HANDSHAKING, "sent %llu in state %d",
          (unsigned long long)server.sent, (int)want_of(server.c).state);
    wire_settle(&pair_wire);
    CHECK(client.received == 4 && client.wrong == 0, "received %llu", (unsigned long long)client.received);
    server.to_send = 10000;
    server.close_on_eof = 1;
    wire_settle(&pair_wire);
    tlsmem_close(client.c);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_DELIVERED(server, client);
    pair_close();
}

int main(void)
{
    begin("close");
    int descriptors = open_descriptors();
    every_pair("the client closes", NULL, client_closes);
    every_pair("the server closes", NULL, server_closes);
    every_pair("both close at once", NULL, both_close_at_once);
    every_pair("half close by the client", NULL, client_half_closes);
    every_pair("half close by the server", NULL, server_half_closes);
    every_pair("data in flight after our close", NULL, data_in_flight);
    every_pair("the client closes before the handshake", NULL, client_closes_early);
    every_pair("the server closes before the handshake", NULL, server_closes_early);
    every_pair("close before anything", NULL, close_at_once);
    every_pair("abort", NULL, aborted);
    every_pair("no on_eof", NULL, answered_by_the_library);
    every_pair("greeting", NULL, greeting);
    CHECK(open_descriptors() == descriptors, "descriptors leaked");
    return finish();
}
