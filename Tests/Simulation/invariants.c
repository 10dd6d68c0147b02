/* What must hold: at any moment, while everybody waits, and in the end. */
#include "world.h"
#include "clock.h"

#include <poll.h>

static int64_t const SLACK_MS = 1500;

static const unsigned NO_FAILURES = STATUS(TLSMEM_AGAIN) | STATUS(TLSMEM_CLOSED) | STATUS(TLSMEM_EINVAL)
    | STATUS(TLSMEM_ESTATE);

void check_status(end *e, const char *call, ptrdiff_t status, unsigned allowed)
{
    if (status >= 0)
        return;
    int connection = e == NULL ? -1 : e->number / 2, number = e == NULL ? -1 : e->number;
    int is_allowed = status > -32 && (allowed & STATUS(status)) != 0;
    if (is_allowed)
        return;
    int is_failure = status <= -32 || (NO_FAILURES & STATUS(status)) == 0;
    if ((allowed & FAILURE) == 0 || !is_failure)
        fail(connection, "status", "end %d: %s returns %s", number, call, tlsmem_status_name((int)status));
    if (e == NULL || e->c == NULL)
        return;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(e->c, &error);
    if (error.status != status)
        fail(connection, "status", "end %d: %s returns %s, and the connection has %s", number, call,
             tlsmem_status_name((int)status), tlsmem_status_name(error.status));
}

/* ---- at any moment */

enum { RECORD_MOST = 16384 };

/** The last record counts whole; from then on nothing is received until something was read. */
static void check_incoming(end *e, size_t waits, size_t most)
{
    const struct truth *truth = kernel_truth(e->fd);
    if (waits >= most + RECORD_MOST)
        fail(e->number / 2, "incoming_max", "end %d: %zu bytes wait to be read, and %zu may", e->number, waits, most);
    if (waits < most || e->face == FACE_BUFFERS || truth == NULL)
        e->full_at = -1;
    else if (e->full_at < 0 || waits + e->delivered != e->full_with)
        e->full_at = (int64_t)truth->received, e->full_with = waits + e->delivered;
    else if ((int64_t)truth->received > e->full_at)
        fail(e->number / 2, "incoming_max", "end %d receives although %zu bytes wait, and %zu may", e->number, waits, most);
}

void check_end(end *e)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    const tlsmem_limits *limits = &e->of->limits[e->number % 2];
    tlsmem_want(e->c, &want);
    tlsmem_report(e->c, &report);
    check_incoming(e, want.incoming_bytes, limits->incoming_max);
    if (want.deferred_bytes > limits->outgoing_max)
        fail(e->number / 2, "outgoing_max", "end %d: %zu bytes are deferred, and %zu may", e->number,
             want.deferred_bytes, limits->outgoing_max);
    if (want.outgoing_bytes + want.deferred_bytes > limits->outgoing_max + limits->control_max)
        fail(e->number / 2, "outgoing_max", "end %d: %zu bytes wait to be sent, and %zu may", e->number,
             want.outgoing_bytes + want.deferred_bytes, limits->outgoing_max);
    if (report.bytes_accepted != e->accepted)
        fail(e->number / 2, "bytes_accepted", "end %d: says %llu, and it were %llu", e->number,
             (unsigned long long)report.bytes_accepted, (unsigned long long)e->accepted);
    if (report.bytes_encrypted > report.bytes_accepted)
        fail(e->number / 2, "bytes_encrypted", "end %d: more than were accepted", e->number);
    if (!service_has(e->of, SETTING_EARLY) && e->delivered + want.incoming_bytes != report.bytes_received)
        fail(e->number / 2, "bytes_received", "end %d: says %llu, delivered %llu, waiting %zu", e->number,
             (unsigned long long)report.bytes_received, (unsigned long long)e->delivered, want.incoming_bytes);
    if (want.paused != e->is_paused)
        fail(e->number / 2, "paused", "end %d says %d", e->number, want.paused);
    if (want.congested)
        e->owes_drain = 1; /* being told so is enough */
    int shows = e->face != FACE_BUFFERS || want.state != TLSMEM_STATE_OPEN || e->fed_end || want.has_ciphertext == (want.outgoing_bytes > 0);
    if (!shows || want.has_plaintext != (want.incoming_bytes > 0))
        fail(e->number / 2, "want", "end %d says %d of %zu, %d of %zu", e->number, want.has_ciphertext,
             want.outgoing_bytes, want.has_plaintext, want.incoming_bytes);
    if (e->is_established && !tlsmem_is_established(e->c))
        fail(e->number / 2, "established", "end %d is no more", e->number);
}

/* ---- in the end */

static int has_waited_for(const end *e)
{
    int64_t least = INT64_MAX;
    for (int i = 1; i < 6; i++)
        if (e->timeouts[i] > 0 && e->timeouts[i] < least)
            least = e->timeouts[i];
    return clock_now() - e->begun >= least;
}

/** Whether something that has happened can have led to this. */
static int has_cause(const end *e)
{
    const tlsmem_report_info *report = &e->report;
    const end *peer = peer_of(e);
    int refused = e->has_refused || peer->has_refused || service_has(e->of, SETTING_MISMATCH);
    switch (report->status) {
    case TLSMEM_OK:
        return report->close_notify_sent && (report->close_notify_received || e->truth.end || e->truth.reset);
    case TLSMEM_EABORTED: return e->has_aborted || (e->has_closed && !e->is_established) || w.is_ending;
    case TLSMEM_ETIMEOUT: return has_waited_for(e);
    case TLSMEM_ERESET: return e->truth.reset || e->truth.pipe;
    case TLSMEM_ETRUNCATED: return e->truth.end && !report->close_notify_received;
    case TLSMEM_EHANDSHAKEEOF: return e->is_established ? e->renegotiates || peer->renegotiates : e->truth.end;
    case TLSMEM_ESYSTEM: return e->truth.other != 0 || (chosen.faults >> FAULT_ENOMEM & 1) != 0;
    case TLSMEM_ECONNECT: return e->number % 2 == 0 && !e->is_established && !peer->is_made;
    case TLSMEM_EPROTOCOL: /* a server of TLS 1.2 has a key of its own for who has none */
        return e->has_refused || peer->has_refused;
    case TLSMEM_EALERT: case TLSMEM_EREJECTED: case TLSMEM_ENOCERT: case TLSMEM_EALPN: case TLSMEM_EREFUSED:
    case TLSMEM_EVERIFY: case TLSMEM_EPSK: case TLSMEM_ECIPHER:
        return refused;
    }
    return 0;
}

void check_report(end *e)
{
    const tlsmem_report_info *report = &e->report;
    const end *peer = peer_of(e);
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(e->c, &error);
    if (error.status != report->status)
        fail(e->number / 2, "report", "end %d: it says %s, and the error is %s", e->number,
             tlsmem_status_name(report->status), tlsmem_status_name(error.status));
    e->owes_alert = error.alert_sent >= 0 && !e->has_aborted && e->face != FACE_BUFFERS && kernel_truth(e->fd) != NULL
        && !e->truth.refused && !e->truth.reset && !e->truth.pipe && !e->truth.other;
    if ((report->status == TLSMEM_EHANDSHAKEEOF || report->status == TLSMEM_ETRUNCATED) && peer->is_closed
        && peer->owes_alert && e->truth.end && !e->truth.cut)
        fail(e->number / 2, "lost alert", "end %d has failed, and end %d has not heard why", peer->number, e->number);
    if (!has_cause(e))
        fail(e->number / 2, "report", "end %d: %s, for no reason (%s)", e->number, tlsmem_status_name(report->status),
             error.sentence);
    if (report->bytes_accepted != e->accepted)
        fail(e->number / 2, "report", "end %d: accepted %llu, and it were %llu", e->number,
             (unsigned long long)report->bytes_accepted, (unsigned long long)e->accepted);
    if (report->close_notify_received && report->bytes_received != promised(peer))
        fail(e->number / 2, "lost bytes", "end %d: the peer has closed after %llu bytes, and %llu came", e->number,
             (unsigned long long)peer->accepted, (unsigned long long)report->bytes_received);
    int is_broken = e->truth.reset || e->truth.pipe || e->truth.other; /* when only our close_notify was left */
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(e->c, &want);
    e->owes_drain |= want.congested;
    if (e->delivered + want.incoming_bytes != report->bytes_received && error.status != TLSMEM_EABORTED
        && !service_has(e->of, SETTING_EARLY))
        fail(e->number / 2, "report", "end %d: %llu bytes came, %llu were delivered and %zu wait", e->number,
             (unsigned long long)report->bytes_received, (unsigned long long)e->delivered, want.incoming_bytes);
    if (report->status == TLSMEM_OK && report->bytes_encrypted != report->bytes_accepted)
        fail(e->number / 2, "lost bytes", "end %d has closed, and %llu bytes of %llu are encrypted", e->number,
             (unsigned long long)report->bytes_encrypted, (unsigned long long)report->bytes_accepted);
    /* What OpenSSL makes behind our close_notify (tickets, answers to requests) is nobody's bytes: the program's are in the
     * check before. */
    if (report->status == TLSMEM_OK && report->ciphertext_unsent > 0
        && !(report->close_notify_received && is_broken && report->ciphertext_unsent < 4096))
        fail(e->number / 2, "lost bytes", "end %d has closed, and %llu bytes were not sent", e->number,
             (unsigned long long)report->ciphertext_unsent);
    if (e->fd >= 0 && kernel_truth(e->fd) != NULL && report->ciphertext_sent != e->truth.sent)
        fail(e->number / 2, "report", "end %d: %llu bytes of ciphertext sent, and it were %llu", e->number,
             (unsigned long long)report->ciphertext_sent, (unsigned long long)e->truth.sent);
}

/* ---- while everybody waits */

static int is_held(const end *e)
{
    return e->is_paused || e->corks > 0 || (e->question != 0 && !e->is_answered);
}

static int is_well(const end *e)
{
    const struct truth *truth = kernel_truth(e->fd);
    return is_alive(e) && e->is_established && truth != NULL && !truth->reset && !truth->pipe && !truth->other
        && !e->is_connecting && !e->has_aborted;
}

static void check_direction(end *from, end *to)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT, sent = TLSMEM_WANT_INFO_INIT;
    if (!is_well(from) || !is_well(to) || is_held(from) || is_held(to))
        return;
    if (kernel_in_flight(from->fd) > 0 || kernel_in_flight(to->fd) > 0 || kernel_truth(to->fd)->end)
        return; /* it is stalled, or not read */
    tlsmem_want(to->c, &want);
    tlsmem_want(from->c, &sent);
    from->owes_drain |= sent.congested;
    to->owes_drain |= want.congested;
    if (sent.has_plaintext && !sent.needs_ciphertext)
        return; /* its program does not read, and so a renegotiation that is under way does not come to its end */
    if (to->delivered + want.incoming_bytes != from->accepted && (to->pulls == 0 || want.incoming_bytes == 0))
        fail(from->number / 2, "stuck bytes", "end %d has accepted %llu, end %d was delivered %llu and %zu wait there; %zu "
             "wait to be sent and %zu are deferred; nobody does anything", from->number,
             (unsigned long long)from->accepted, to->number, (unsigned long long)to->delivered, want.incoming_bytes,
             sent.outgoing_bytes, sent.deferred_bytes);
    if ((from->has_closed || from->has_closed_writing) && !to->pulls && !to->lacks_eof_callback && !to->has_eof)
        fail(from->number / 2, "stuck end", "end %d has closed, and end %d does not know", from->number, to->number);
    if (from->has_closed && to->lacks_eof_callback && !to->pulls && !to->has_eof)
        fail(from->number / 2, "stuck end", "end %d has closed, and end %d has not", from->number, to->number);
    if (from->owes_drain && sent.outgoing_bytes + sent.deferred_bytes <= from->of->limits[from->number % 2].outgoing_low
        && !from->has_closed && !from->has_closed_writing)
        fail(from->number / 2, "on_drain", "end %d waits for it, and only %zu bytes wait", from->number,
             sent.outgoing_bytes + sent.deferred_bytes);
}

/** Whoever has the socket has read what is in it, or does not want it. */
static void check_read(end *e)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(e->c, &want);
    if (e->face == FACE_LOOP && e->fd >= 0 && want.needs_ciphertext && (kernel_ready(e->fd) & EPOLLIN) != 0)
        fail(e->number / 2, "unread bytes", "end %d needs ciphertext, and leaves what its socket has", e->number);
}

static void check_deadlines(end *e)
{
    int64_t handshake = e->timeouts[TLSMEM_TIMEOUT_HANDSHAKE], close = e->timeouts[TLSMEM_TIMEOUT_CLOSE];
    int64_t since = e->timed_at > e->begun ? e->timed_at : e->begun;
    if (e->number % 2 == 0 && e->face == FACE_LOOP && e->fd < 0)
        return; /* it connects */
    if (!e->is_established && !e->has_closed && handshake > 0 && e->face != FACE_NONE
        && clock_now() > since + handshake + 12000 + SLACK_MS)
        fail(e->number / 2, "handshake_ms", "end %d has not been established for %lld ms", e->number,
             (long long)(clock_now() - since));
    if (e->is_connecting)
        return; /* its program drives it once it is connected */
    if (e->has_closed && e->closed_at >= 0 && close > 0 && clock_now() > (since > e->closed_at ? since : e->closed_at) + close + SLACK_MS)
        fail(e->number / 2, "close_ms", "end %d has been closing for %lld ms", e->number,
             (long long)(clock_now() - e->closed_at));
}

void check_quiet(void)
{
    if (w.posts > 0)
        fail(-1, "post", "%d posts were not called", w.posts);
    int nothing_comes = kernel_next() < 0;
    for (int i = 0; i < w.opened; i++) {
        for (int side = 0; side < 2; side++)
            if (is_alive(&w.ends[i][side])) {
                check_end(&w.ends[i][side]);
                check_deadlines(&w.ends[i][side]);
                check_read(&w.ends[i][side]);
            }
        if (nothing_comes) {
            check_direction(&w.ends[i][0], &w.ends[i][1]);
            check_direction(&w.ends[i][1], &w.ends[i][0]);
        }
    }
}
