/*
 * Pace: programs that read when they like (pull mode), pause and resume, and the limits on what waits either way.
 */
#include "pair.h"

#include <poll.h>

enum { MEGABYTE = 1024 * 1024, RECORD = 16384 };

/** The same end without on_data: plaintext waits for tlsmem_read. */
static void pull_mode(end *e)
{
    tlsmem_callbacks pull = end_callbacks;
    pull.on_data = NULL;
    MUST(tlsmem_set_callbacks(e->c, &pull, e) == TLSMEM_OK);
}

/** Reads what waits in pieces of seeded sizes, with and without a copy. Returns the last answer, which is not a count. */
static int read_all(end *e, seeded *random)
{
    static unsigned char bytes[70000];
    for (;;) {
        const void *shown;
        size_t n = seeded_size(random, sizeof bytes);
        ptrdiff_t got;
        if (seeded_next(random) % 2 == 0) {
            got = tlsmem_read(e->c, bytes, n);
            if (got <= 0)
                return (int)got;
            CHECK((size_t)got <= n, "read %td bytes into %zu", got, n);
            CHECK(pattern_differs(bytes, e->stream ^ 1, e->received, (size_t)got) == (size_t)got,
                  "wrong bytes at %llu", (unsigned long long)e->received);
        } else {
            size_t length = 0;
            int status = tlsmem_read_peek(e->c, &shown, &length);
            if (status == TLSMEM_CLOSED)
                return 0; /* where tlsmem_read says 0 */
            if (status != TLSMEM_OK || !CHECK(length > 0, "TLSMEM_OK, and nothing shown"))
                return status;
            got = (ptrdiff_t)(n < length ? n : length);
            CHECK(pattern_differs(shown, e->stream ^ 1, e->received, length) == length, "wrong bytes at %llu",
                  (unsigned long long)e->received);
            CHECK_STATUS(tlsmem_read_consume(e->c, want_of(e->c).incoming_bytes + 1), TLSMEM_EINVAL);
            CHECK_STATUS(tlsmem_read_consume(e->c, (size_t)got), TLSMEM_OK);
        }
        e->received += (uint64_t)got;
        e->activity++;
    }
}

/** A reader that never reads stops the writer; one that reads gets everything. */
static void pulled(const scene *s)
{
    size_t most = ((tlsmem_limits)TLSMEM_LIMITS_INIT).incoming_max;
    seeded random = { 7 };
    pair_establish(s);
    pull_mode(&server);
    CHECK_STATUS(read_all(&server, &random), TLSMEM_AGAIN);
    client.to_send = 3 * MEGABYTE;
    wire_settle(&pair_wire);
    tlsmem_want_info want = want_of(server.c);
    CHECK(want.incoming_bytes >= most && want.incoming_bytes <= most + RECORD, "%zu bytes wait", want.incoming_bytes);
    CHECK(want.has_plaintext == 1, "has_plaintext is not set");
    CHECK(client.blocked && client.sent < client.to_send, "the writer was never stopped");
    if (s->server_face == FACE_FD)
        CHECK((tlsmem_interest(server.c) & POLLIN) == 0, "a full reader asks for POLLIN");
    if (s->server_face == FACE_BUFFERS)
        CHECK_STATUS(tlsmem_feed(server.c, "x", 1), TLSMEM_AGAIN);
    for (int turn = 0; turn < 100000 && server.received < client.to_send; turn++) {
        int last = read_all(&server, &random);
        if (!CHECK(last == TLSMEM_AGAIN, "read: %s", tlsmem_status_name(last)))
            break;
        wire_settle(&pair_wire);
        CHECK(want_of(server.c).incoming_bytes <= most + RECORD, "%zu bytes wait", want_of(server.c).incoming_bytes);
    }
    CHECK(server.received == client.to_send, "received %llu", (unsigned long long)server.received);
    tlsmem_close(client.c);
    wire_settle(&pair_wire);
    CHECK_STATUS(read_all(&server, &random), 0);
    CHECK_STATUS(read_all(&server, &random), 0);
    CHECK(server.eofs == 1, "on_eof %d times", server.eofs);
    tlsmem_close(server.c);
    wire_settle(&pair_wire);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    pair_close();
}

/** After a failure, first what came before it. */
static void read_before_failure(const scene *s)
{
    seeded random = { 8 };
    pair_establish(s);
    pull_mode(&server);
    client.to_send = 50000;
    wire_settle(&pair_wire);
    pair_wire.up.cut_off = 1;
    end_give_eof(&server);
    wire_settle(&pair_wire);
    CHECK_STATUS(failure_of(server.c), TLSMEM_ETRUNCATED);
    CHECK_STATUS(read_all(&server, &random), TLSMEM_ETRUNCATED);
    CHECK(server.received == 50000, "received %llu", (unsigned long long)server.received);
    CHECK_STATUS(read_all(&server, &random), TLSMEM_ETRUNCATED);
    CHECK_ENDED(server, TLSMEM_ETRUNCATED);
    pair_close();
}

/** While paused nothing is delivered; on resume what waits comes before anything new. */
static void paused(const scene *s)
{
    seeded random = { 9 };
    pair_establish(s);
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    CHECK(want_of(server.c).paused == 1, "paused is not set");
    client.to_send = 3 * MEGABYTE;
    wire_settle(&pair_wire);
    CHECK(server.received == 0 && server.wrong == 0, "%llu bytes delivered", (unsigned long long)server.received);
    CHECK(client.sent < client.to_send, "the writer was never stopped");
    uint64_t before = want_of(server.c).incoming_bytes;
    size_t most = ((tlsmem_limits)TLSMEM_LIMITS_INIT).incoming_max;
    CHECK(before >= most && before <= most + RECORD, "%llu bytes wait", (unsigned long long)before);
    CHECK_STATUS(tlsmem_resume(server.c), TLSMEM_OK);
    CHECK(server.received >= before, "resume delivered %llu of %llu", (unsigned long long)server.received,
          (unsigned long long)before);
    wire_settle(&pair_wire);
    CHECK(server.received == client.to_send, "received %llu", (unsigned long long)server.received);

    /* What is read while paused is not delivered again. */
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    client.to_send += 100000;
    wire_settle(&pair_wire);
    CHECK_STATUS(read_all(&server, &random), TLSMEM_AGAIN);
    CHECK(server.received == client.to_send, "received %llu", (unsigned long long)server.received);
    CHECK_STATUS(tlsmem_resume(server.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(server.received == client.to_send, "lost, or delivered twice: %llu", (unsigned long long)server.received);

    /* A close that comes while paused waits behind the plaintext. */
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    client.to_send += 1000;
    wire_settle(&pair_wire);
    tlsmem_close(client.c);
    wire_settle(&pair_wire);
    CHECK(server.eofs == 0 && server.closes == 0, "on_eof %d times while plaintext waits", server.eofs);
    CHECK_STATUS(tlsmem_resume(server.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(server.eofs == 1 && server.received == client.to_send, "on_eof %d times, received %llu", server.eofs,
          (unsigned long long)server.received);
    tlsmem_close(server.c);
    wire_settle(&pair_wire);
    CHECK_ENDED(server, TLSMEM_OK);
    pair_close();
}

/* ---- outgoing: a hard limit, and one on_drain for each time that it stopped a write */

static int shorts;

static void watch_limit(end *e)
{
    size_t most = *(size_t *)e->test;
    tlsmem_want_info want = want_of(e->c);
    shorts += e->blocked;
    CHECK(want.outgoing_bytes + want.deferred_bytes <= most, "%zu bytes of ciphertext and %zu of plaintext wait",
          want.outgoing_bytes, want.deferred_bytes);
}

static void watch_drain(end *e, event what)
{
    if (what != EVENT_DRAIN)
        return;
    CHECK(want_of(e->c).outgoing_bytes + want_of(e->c).deferred_bytes <= 8192 && want_of(e->c).accepts_plaintext,
          "on_drain while %zu bytes wait", want_of(e->c).outgoing_bytes + want_of(e->c).deferred_bytes);
}

static void outgoing(const scene *s)
{
    size_t most = s->limits->outgoing_max;
    pair_open(s);
    shorts = 0;
    client.test = &most;
    client.after_write = watch_limit;
    client.hook = watch_drain;
    client.piece = 3000;
    client.to_send = MEGABYTE;
    end_step(&client);
    CHECK(client.blocked && client.sent <= most, "%llu bytes taken before the handshake",
          (unsigned long long)client.sent);
    CHECK_STATUS(tlsmem_write(client.c, "x", 1), TLSMEM_AGAIN);
    wire_settle(&pair_wire);
    CHECK(server.received == client.to_send, "received %llu", (unsigned long long)server.received);
    CHECK(shorts > 0 && client.drains == shorts, "%d writes were short, on_drain came %d times", shorts, client.drains);

    /* Writes that fit are followed by no on_drain. */
    int drains = client.drains;
    client.to_send += 3000;
    wire_settle(&pair_wire);
    CHECK(client.drains == drains && server.received == client.to_send, "on_drain without a short write");
    server.close_on_eof = 1;
    tlsmem_close(client.c);
    wire_settle(&pair_wire);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    pair_close();
}

int main(void)
{
    tlsmem_limits narrow = TLSMEM_LIMITS_INIT;
    narrow.outgoing_max = 32768;
    narrow.outgoing_low = 8192;
    begin("pull");
    every_pair("pull mode", NULL, pulled);
    every_pair("read before the failure", NULL, read_before_failure);
    every_pair("pause and resume", NULL, paused);
    every_pair("outgoing limits", &narrow, outgoing);
    return finish();
}
