/*
 * Limits that were passed, or that counted what they should not.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <sys/socket.h>

enum { ENOUGH = 8 * 1024 * 1024 };

/** Has the peer send more, and asks for it from inside on_data. */
static void ask_for_more(end *e, event what)
{
    if (what != EVENT_DATA || e->received >= ENOUGH)
        return;
    say(&client, 65536);
    tlsmem_flush(client.c);
    tlsmem_on_readable(e->c);
}

static void nested_readable(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD, .direct = 1 });
    server.hook = ask_for_more;
    say(&client, 65536);
    tlsmem_on_readable(server.c);
    CHECK(server.received > 0 && server.received <= 3 * limits.wake_max, "one call delivered %llu bytes, wake_max is %zu",
          (unsigned long long)server.received, limits.wake_max);
    close_ends();
}

/** The same, and pauses before it is over: what was taken by then has to wait somewhere. */
static void ask_and_pause(end *e, event what)
{
    ask_for_more(e, what);
    if (what == EVENT_DATA)
        tlsmem_pause(e->c);
}

static void nested_readable_and_pause(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.incoming_max = 65536;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD, .direct = 1,
                            .server_limits = &limits });
    server.hook = ask_and_pause;
    say(&client, 200000);
    for (int turn = 0; turn < 50; turn++) {
        tlsmem_on_readable(server.c);
        tlsmem_flush(client.c);
    }
    CHECK(server.received > 0, "nothing was delivered");
    CHECK(want_of(server.c).incoming_bytes <= limits.incoming_max, "%zu bytes wait of %zu",
          want_of(server.c).incoming_bytes, limits.incoming_max);
    close_ends();
}

static void own_key_updates(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 32768;
    limits.outgoing_low = 1;
    limits.update_burst = 1000000; /* more than are sent here */
    int last = TLSMEM_OK;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_limits = &limits, .server_limits = &limits });
    for (int i = 0; i < 3000 && last == TLSMEM_OK; i++)
        last = tlsmem_key_update(server.c, 1);
    CHECK(last == TLSMEM_AGAIN, "the last of 3000 said %s", tlsmem_status_name(last));
    CHECK(want_of(server.c).outgoing_bytes <= limits.outgoing_max, "%zu bytes wait of %zu",
          want_of(server.c).outgoing_bytes, limits.outgoing_max);
    wire_settle(&pair_wire);
    CHECK_STATUS(tlsmem_key_update(server.c, 0), TLSMEM_OK);
    say(&server, 1000);
    wire_settle(&pair_wire);
    CHECK_DELIVERED(server, client);
    close_ends();
}

/** Gives the peer all but the last byte that waits. Returns 0 when it could not be given. */
static int give_all_but_one_byte(void)
{
    unsigned char bytes[65536];
    while (want_of(server.c).outgoing_bytes > 1) {
        size_t n = want_of(server.c).outgoing_bytes - 1;
        ptrdiff_t got = end_take(&server, bytes, n < sizeof bytes ? n : sizeof bytes);
        if (got <= 0 || end_give(&client, bytes, (size_t)got) != (size_t)got)
            return 0;
    }
    return 1;
}

/** The peer asks for new keys and reads all that it gets, but the queue is never quite empty. */
static void answers_that_were_taken(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.control_max = 2048;
    limits.update_rate = limits.update_burst = 1000000;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_limits = &limits, .server_limits = &limits });
    say(&server, 20000);
    for (int i = 0; i < 300 && failure_of(server.c) == TLSMEM_OK; i++) {
        unsigned char bytes[4096];
        for (int twice = 0; twice < 2; twice++) {
            CHECK_STATUS(tlsmem_key_update(client.c, 1), TLSMEM_OK);
            ptrdiff_t got = end_take(&client, bytes, sizeof bytes);
            MUST(got > 0);
            end_give(&server, bytes, (size_t)got);
        }
        say(&server, 1000);
        if (!CHECK(give_all_but_one_byte(), "after %d", 2 * i))
            break;
    }
    CHECK(failure_of(server.c) == TLSMEM_OK, "%s", tlsmem_status_name(failure_of(server.c)));
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    CHECK_STATUS(tlsmem_stats(server.c, &stats), TLSMEM_OK);
    CHECK(stats.key_updates_in == 600, "%llu KeyUpdates came", (unsigned long long)stats.key_updates_in);
    close_ends();
}

static void answers_to_our_own(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.update_rate = limits.update_burst = 1;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_limits = &limits });
    for (int i = 0; i < 50; i++) {
        CHECK_STATUS(tlsmem_key_update(client.c, 1), TLSMEM_OK);
        wire_settle(&pair_wire);
    }
    CHECK(failure_of(client.c) == TLSMEM_OK && failure_of(server.c) == TLSMEM_OK, "client %s, server %s",
          tlsmem_status_name(failure_of(client.c)), tlsmem_status_name(failure_of(server.c)));
    close_ends();
}

static void certificate_chain_too_long(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.cert_list_max = 100;
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        open_ends(&(ends){ .version = version, .client_limits = &limits });
        wire_settle(&pair_wire);
        CHECK_ENDED(client, TLSMEM_ELIMIT);
        close_ends();
    }
}

/** In TLS 1.2 OpenSSL says internal_error to a record that has no room for nonce and tag. */
static void record_without_a_tag(void)
{
    static const unsigned char record[] = { 23, 3, 3, 0, 7, 0, 0, 0, 0, 0, 0, 0 };
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        establish_ends(&(ends){ .version = version });
        CHECK(end_give(&server, record, sizeof record) > 0, "nothing was taken");
        CHECK_ENDED(server, TLSMEM_EPROTOCOL);
        close_ends();
    }
}

/** Behind the ClientHello, where alerts need not be encrypted yet. In TLS 1.3 the level of an alert counts for nothing. */
static void warning_that_ends(void)
{
    static const unsigned char warning[] = { 21, 3, 3, 0, 2, 1, 99 };
    unsigned char hello[2048];
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    open_ends(&(ends){ .version = TLSMEM_TLS1_3 });
    ptrdiff_t length = end_take(&client, hello, sizeof hello);
    MUST(length > 0 && end_give(&server, hello, (size_t)length) == (size_t)length);
    CHECK(end_give(&server, warning, sizeof warning) == sizeof warning, "it was not taken");
    CHECK_ENDED(server, TLSMEM_EALERT);
    CHECK(tlsmem_error(server.c, &error) == TLSMEM_OK && error.alert_received == 99, "alert %d came", error.alert_received);
    close_ends();
}

static void cork_and_wait(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 40000;
    limits.outgoing_low = 500;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_limits = &limits });
    CHECK_STATUS(tlsmem_cork(client.c), TLSMEM_OK);
    client.piece = 1000;
    say(&client, 200000);
    wire_settle(&pair_wire);
    CHECK(client.sent == 200000, "%d of 200000 were taken", (int)client.sent);
    close_ends();
}

/** The write that is owed on_drain was before the cork, and what comes under it congests nothing. */
static void cork_while_owed(void)
{
    unsigned char bytes[5000];
    const void *shown;
    size_t n;
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_high = 1000;
    limits.outgoing_low = 0;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_limits = &limits });
    pattern_fill(bytes, client.stream, 0, sizeof bytes);
    MUST(tlsmem_write(client.c, bytes, 5000) == 5000);
    client.drain_owed = 1;
    MUST(tlsmem_outgoing_peek(client.c, &shown, &n) == TLSMEM_OK && n > 5000);
    MUST(tlsmem_outgoing_consume(client.c, n - 500) == TLSMEM_OK);
    MUST(tlsmem_cork(client.c) == TLSMEM_OK && tlsmem_write(client.c, bytes, 100) == 100);
    while (tlsmem_outgoing_peek(client.c, &shown, &n) == TLSMEM_OK)
        MUST(tlsmem_outgoing_consume(client.c, n) == TLSMEM_OK);
    CHECK(client.drains == 1, "on_drain %d times, and %zu are held", client.drains, want_of(client.c).deferred_bytes);

    /* The same for one who only asks: it is congested by what came after the last write. */
    MUST(tlsmem_write(client.c, bytes, 900) == 900 && !tlsmem_is_congested(client.c));
    for (int i = 0; i < 10; i++)
        MUST(tlsmem_key_update(client.c, 0) == TLSMEM_OK);
    client.drain_owed = tlsmem_is_congested(client.c);
    CHECK(client.drain_owed, "not congested");
    while (tlsmem_outgoing_peek(client.c, &shown, &n) == TLSMEM_OK)
        MUST(tlsmem_outgoing_consume(client.c, n) == TLSMEM_OK);
    CHECK(client.drains == 2, "on_drain %d times, and %zu are held", client.drains, want_of(client.c).deferred_bytes);
    close_ends();
}

static void close_now(end *e, event what)
{
    if (what == EVENT_DRAIN)
        MUST(tlsmem_close(e->c) == TLSMEM_OK);
}

/** What waited, several slices, is dropped in a drive, and then a close_notify is made in the same one. */
static void break_and_close(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = limits.outgoing_high = 300000;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .client_limits = &limits, .direct = 1 });
    client.hook = close_now;
    say(&client, ENOUGH);
    CHECK(want_of(client.c).outgoing_bytes > 200000, "only %zu wait", want_of(client.c).outgoing_bytes);
    MUST(shutdown(server.fd, SHUT_RD) == 0);
    CHECK_STATUS(tlsmem_on_writable(client.c), TLSMEM_OK);
    CHECK(client.drains == 1, "on_drain %d times", client.drains);
    close_ends();

    limits = (tlsmem_limits)TLSMEM_LIMITS_INIT;
    limits.outgoing_high = limits.outgoing_max;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_limits = &limits });
    say(&client, 600000);
    wire_settle(&pair_wire);
    CHECK(server.received == 600000, "%llu of 600000 have come to another", (unsigned long long)server.received);
    close_ends();
}

/** The first piece is more than outgoing_high, and all of it is sent before the call returns. */
static void drains_for_nothing(void)
{
    static unsigned char bytes[4000];
    struct iovec pieces[2] = { { bytes, 2000 }, { bytes + 2000, 2000 } };
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_low = 50;
    limits.outgoing_high = 100;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD, .direct = 1,
                            .client_limits = &limits });
    pattern_fill(bytes, client.stream, 0, sizeof bytes);
    CHECK_STATUS(tlsmem_writev(client.c, pieces, 2), sizeof bytes);
    CHECK(!tlsmem_is_congested(client.c), "it was not sent");
    client.sent = client.to_send = sizeof bytes;
    settle_direct();
    CHECK(client.drains == 0, "on_drain %d times", client.drains);
    close_ends();
}

const regression limit_regressions[] = {
    { "passes wake_max when tlsmem_on_readable is called in on_data", nested_readable },
    { "passes incoming_max when tlsmem_on_readable is called in on_data", nested_readable_and_pause },
    { "lets its own KeyUpdates pass outgoing_max", own_key_updates },
    { "counts against control_max what the peer has taken", answers_that_were_taken },
    { "counts the answers to its own KeyUpdates against the peer", answers_to_our_own },
    { "calls a certificate chain past cert_list_max a broken protocol", certificate_chain_too_long },
    { "takes a record that is shorter than its tag for a failure of its own", record_without_a_tag },
    { "takes a warning that ends TLS 1.3 for a failure of its own", warning_that_ends },
    { "has a producer wait for on_drain behind its own cork", cork_and_wait },
    { "holds a write under a cork while on_drain is owed for an earlier one", cork_while_owed },
    { "writes among the ciphertext of another connection after its own transport has broken", break_and_close },
    { "calls on_drain after a tlsmem_writev that left nothing waiting", drains_for_nothing },
    { NULL, NULL }
};
