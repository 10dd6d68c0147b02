/*
 * The end of a connection: what is still sent, what is said about it, and what is said first.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/** Everything that could send, on a connection that has ended. */
static void touch(tlsmem *c)
{
    tlsmem_flush(c);
    tlsmem_on_writable(c);
    tlsmem_on_readable(c);
    tlsmem_resume(c);
    tlsmem_handshake(c);
    tlsmem_close(c);
    tlsmem_tick(c, tlsmem_now());
    IGNORE(tlsmem_write(c, "x", 1) < 0);
    IGNORE(tlsmem_key_update(c, 0) < 0);
}

/** Receives all there is. Returns how many bytes that was. */
static size_t emptied(int fd)
{
    static unsigned char bytes[65536];
    size_t total = 0;
    for (ptrdiff_t got; (got = recv(fd, bytes, sizeof bytes, 0)) > 0; total += (size_t)got)
        ;
    return total;
}

/** A server that has written more than its socket takes, and closes. */
static void establish_and_fill(void)
{
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_face = FACE_FD });
    say(&server, 900000);
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    CHECK(want_of(server.c).outgoing_bytes > 0, "the socket took everything");
}

static void sends_after_on_close(void)
{
    int stranger[2];
    establish_and_fill();
    CHECK_STATUS(tlsmem_tick(server.c, tlsmem_deadline(server.c)), TLSMEM_ETIMEOUT);
    CHECK(server.closes == 1, "on_close %d times", server.closes);
    tlsmem_report_info before = report_of(server.c);
    socket_pair(stranger);
    MUST(dup2(stranger[0], server.fd) == server.fd); /* the program closes its fd, and the number is used again */
    touch(server.c);
    CHECK(emptied(stranger[1]) == 0, "a stranger's socket got our records");
    tlsmem_report_info after = report_of(server.c);
    CHECK(memcmp(&before, &after, sizeof before) == 0, "the report changed after on_close: %llu bytes unsent, then %llu",
          (unsigned long long)before.ciphertext_unsent, (unsigned long long)after.ciphertext_unsent);
    close(stranger[0]);
    close(stranger[1]);
    close_ends();
}

static void touch_in_on_close(end *e, event what)
{
    if (what != EVENT_CLOSE)
        return;
    emptied(e->outer); /* so that there would be room to send */
    touch(e->c);
    CHECK(emptied(e->outer) == 0, "something was sent after the report");
}

static void sends_inside_on_close(void)
{
    establish_and_fill();
    server.hook = touch_in_on_close;
    CHECK_STATUS(tlsmem_tick(server.c, tlsmem_deadline(server.c)), TLSMEM_ETIMEOUT);
    CHECK_ENDED(server, TLSMEM_ETIMEOUT);
    CHECK(report_of(server.c).ciphertext_unsent == server.report.ciphertext_unsent, "the report changed");
    close_ends();
}

static void forgets_its_close_notify(void)
{
    unsigned char garbage[35] = { 23, 3, 3, 0, 30 };
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        establish_ends(&(ends){ .version = version });
        CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
        CHECK(report_of(server.c).close_notify_sent == 1, "no close_notify was made");
        IGNORE(tlsmem_feed(server.c, garbage, sizeof garbage) < 0);
        CHECK_ENDED(server, TLSMEM_EPROTOCOL);
        CHECK(server.report.close_notify_sent == 1, "the close_notify is forgotten");
        close_ends();
    }
}

static void masks_the_refusal(void)
{
    const void *bytes;
    size_t n;
    for (int which = 0; which < 3; which++) {
        tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
        end_adopt(&client, NULL, 0);
        client.c = tlsmem_new(ctx, &end_callbacks, &client); /* it verifies, and has no name to verify */
        MUST(client.c != NULL);
        CHECK_STATUS(tlsmem_outgoing_peek(client.c, &bytes, &n), TLSMEM_AGAIN);
        CHECK(failure_of(client.c) == TLSMEM_ENAME, "%s", tlsmem_status_name(failure_of(client.c)));
        if (which == 0)
            tlsmem_close(client.c);
        else if (which == 1)
            tlsmem_abort(client.c);
        else
            tlsmem_tick(client.c, tlsmem_now() + 3600000);
        CHECK_ENDED(client, TLSMEM_ENAME);
        end_finish(&client);
        tlsmem_ctx_free(ctx);
    }
}

static void revives_a_broken_stream(void)
{
    int other[2];
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD });
    close(client.outer);
    client.outer = -1;
    IGNORE(tlsmem_write(client.c, "lost", 4) < 0);
    CHECK_STATUS(tlsmem_write(client.c, "lost", 4), TLSMEM_ERESET);
    CHECK(tlsmem_take_fd(client.c) == client.fd, "another fd");
    socket_pair(other);
    CHECK_STATUS(tlsmem_set_fd(client.c, other[0]), TLSMEM_ESTATE);
    close(other[0]);
    close(other[1]);
    close_ends();
}

static void takes_another_fd_after_fin(void)
{
    int other[2];
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_face = FACE_FD });
    CHECK_STATUS(tlsmem_close_write(client.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    shutdown(server.outer, SHUT_WR);
    end_drive(&server);
    CHECK(server.eofs == 1 && server.closes == 0, "on_eof %d times, on_close %d times", server.eofs, server.closes);
    MUST(tlsmem_take_fd(server.c) == server.fd);
    socket_pair(other);
    CHECK_STATUS(tlsmem_set_fd(server.c, other[0]), TLSMEM_ESTATE);
    close(other[0]);
    close(other[1]);
    close_ends();
}

static void ends_a_close_by_the_idle_deadline(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.idle_ms = 100;
    limits.close_ms = 100000;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_limits = &limits });
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_tick(server.c, tlsmem_now() + 50000), TLSMEM_OK);
    CHECK(server.closes == 0, "it did not wait for close_ms");
    CHECK_STATUS(tlsmem_tick(server.c, tlsmem_now() + 100001), TLSMEM_ETIMEOUT);
    CHECK_ENDED(server, TLSMEM_ETIMEOUT);
    close_ends();
}

/** How the peer goes, and what sees it. */
static void goes(int close_first, int fin_only, int expected)
{
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_face = FACE_FD });
    if (close_first)
        CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK); /* with close_notify unread, a socketpair resets, too */
    else
        emptied(server.outer);
    if (fin_only) {
        emptied(server.outer);
        shutdown(server.outer, SHUT_WR);
    } else {
        close(server.outer);
        server.outer = -1;
    }
    if (!close_first)
        CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK); /* send finds that nobody is there */
    tlsmem_on_readable(server.c);
    CHECK_ENDED(server, expected);
    close_ends();
}

static void calls_a_reset_a_clean_end(void)
{
    goes(1, 0, TLSMEM_ERESET);
    goes(0, 0, TLSMEM_ERESET);
    goes(1, 1, TLSMEM_OK);
}

static void cannot_close_while_paused(void)
{
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD, .server_face = FACE_FD });
    client.close_on_eof = 1;
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled, though nothing waits to be read");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    close_ends();
}

static void goes_on_while_the_alert_lingers(void)
{
    open_ends(&(ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_FD });
    end_drive(&client);
    MUST(send(client.outer, "\x16\x03\x03\x00\x04zzzz", 9, MSG_NOSIGNAL) == 9);
    CHECK_STATUS(tlsmem_on_readable(client.c), TLSMEM_OK);
    int failure = failure_of(client.c);
    CHECK(failure == TLSMEM_EPROTOCOL && state_of(client.c) == TLSMEM_STATE_CLOSING, "%s in state %d",
          tlsmem_status_name(failure), (int)state_of(client.c));
    CHECK_STATUS(tlsmem_handshake(client.c), failure);
    CHECK_STATUS(tlsmem_write(client.c, "x", 1), failure);
    close_ends();
}

static void abort_at_once(end *e, event what)
{
    if (what == EVENT_DATA)
        tlsmem_abort(e->c);
}

static void feeds_a_dead_connection(void)
{
    static unsigned char bytes[1 << 20];
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.incoming_max = sizeof bytes; /* there would be room for all of it */
    size_t length = 0;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_limits = &limits });
    say(&client, 600000);
    for (ptrdiff_t got; (got = end_take(&client, bytes + length, sizeof bytes - length)) > 0; length += (size_t)got)
        ;
    MUST(length > 600000);
    uint64_t before = report_of(server.c).ciphertext_received;
    server.hook = abort_at_once;
    ptrdiff_t taken = tlsmem_feed(server.c, bytes, length);
    CHECK_ENDED(server, TLSMEM_EABORTED);
    CHECK(taken >= 0 && (uint64_t)taken == server.report.ciphertext_received - before, "%td taken, %llu received", taken,
          (unsigned long long)(server.report.ciphertext_received - before));
    CHECK((size_t)taken < length, "it took all %td bytes", taken);
    close_ends();
}

static void shows_the_alert_for_ever(void)
{
    const void *bytes;
    size_t n;
    int shown = 0;
    tlsmem_ctx *client_ctx = tlsmem_ctx_new(TLSMEM_CLIENT), *server_ctx = context(TLSMEM_SERVER, 0);
    MUST(tlsmem_ctx_set_ca_file(client_ctx, certificate("other-ca.pem")) == TLSMEM_OK);
    end_open(&client, client_ctx, FACE_BUFFERS, NULL, 0, 0);
    end_open(&server, server_ctx, FACE_BUFFERS, NULL, 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
    for (int turn = 0; turn < 100 && client.closes == 0; turn++) {
        unsigned char piece[65536];
        ptrdiff_t up = end_take(&client, piece, sizeof piece);
        if (up > 0)
            MUST(end_give(&server, piece, (size_t)up) == (size_t)up);
        ptrdiff_t down = end_take(&server, piece, sizeof piece);
        if (down > 0)
            MUST(end_give(&client, piece, (size_t)down) == (size_t)down);
    }
    CHECK_ENDED(client, TLSMEM_EVERIFY);
    for (; shown < 1000 && tlsmem_outgoing_peek(client.c, &bytes, &n) == TLSMEM_OK; shown++)
        CHECK_STATUS(tlsmem_outgoing_consume(client.c, n), TLSMEM_OK);
    CHECK(shown == 1, "shown %d times", shown);
    CHECK(want_of(client.c).has_ciphertext == 0, "it says that something is left");
    close_ends();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

/** The peer has closed, we have not, and then it is reset: there may be bytes on their way that nobody will read. */
static void says_ok_and_had_not_closed(void)
{
    for (int writes = 0; writes < 2; writes++) {
        establish_ends(&(ends){ .version = TLSMEM_TLS1_3 });
        CHECK_STATUS(tlsmem_close_write(client.c), TLSMEM_OK);
        wire_settle(&pair_wire);
        CHECK(server.eofs == 1, "on_eof %d times", server.eofs);
        if (writes)
            say(&server, 100);
        CHECK_STATUS(tlsmem_feed_error(server.c, ECONNRESET), TLSMEM_ERESET);
        CHECK_ENDED(server, TLSMEM_ERESET);
        close_ends();
    }
}

/** Our close_notify has to wait for the handshake, and what the peer would have to say to that does not come any more. */
static void waits_for_who_has_gone(void)
{
    establish_ends(&(ends){ .version = TLSMEM_TLS1_2, .renegotiation = 1 });
    CHECK_STATUS(tlsmem_renegotiate(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_feed_eof(client.c), TLSMEM_ETRUNCATED);
    CHECK_ENDED(client, TLSMEM_ETRUNCATED);
    close_ends();
}

const regression close_regressions[] = {
    { "sends on the fd after on_close", sends_after_on_close },
    { "sends on the fd inside on_close", sends_inside_on_close },
    { "forgets its close_notify when the peer breaks the protocol", forgets_its_close_notify },
    { "masks a refusal by what the program does next", masks_the_refusal },
    { "goes on with another fd after it lost ciphertext", revives_a_broken_stream },
    { "takes another fd after FIN and never reads it", takes_another_fd_after_fin },
    { "ends a close by the idle deadline", ends_a_close_by_the_idle_deadline },
    { "calls a reset a clean end when send sees it", calls_a_reset_a_clean_end },
    { "cannot close while it is paused", cannot_close_while_paused },
    { "goes on as if nothing were wrong while the alert lingers", goes_on_while_the_alert_lingers },
    { "counts what is fed to a dead connection", feeds_a_dead_connection },
    { "shows its alert for ever", shows_the_alert_for_ever },
    { "waits for close_ms when the peer has gone in a renegotiation", waits_for_who_has_gone },
    { "says TLSMEM_OK of a reset although it has not closed", says_ok_and_had_not_closed },
    { NULL, NULL }
};
