/* One end: the stream that it sends, the one that it gets, and what must hold of both. */
#include "calls.h"

/** The byte at this place of the stream that one side sends. */
static uint8_t expected(int side, uint64_t place)
{
    return (uint8_t)(place * 31 + (place >> 8) * 7 + (side ? 101 : 3));
}

static void got(end *e, const uint8_t *bytes, size_t n)
{
    end *other = &now.ends[!e->side];
    MUST(n > 0 && e->got + n <= other->accepted);
    for (size_t i = 0; i < n; i++)
        MUST(bytes[i] == expected(other->side, e->got + i));
    e->got += n;
}

static void on_established(tlsmem *c, void *user)
{
    end *e = user;
    MUST(e->c == c && e->established++ == 0 && e->closes == 0 && tlsmem_is_established(c));
    act_inside(e);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    end *e = user;
    MUST(e->c == c && e->closes == 0 && e->ends == 0 && !e->is_at_end);
    got(e, bytes, n);
    act_inside(e);
}

static void on_drain(tlsmem *c, void *user)
{
    end *e = user;
    MUST(e->c == c && e->closes == 0);
    act_inside(e);
}

static void on_eof(tlsmem *c, void *user)
{
    end *e = user;
    MUST(e->c == c && e->closes == 0 && e->ends++ == 0);
    act_inside(e);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    end *e = user;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    MUST(e->c == c && e->closes++ == 0 && report->bytes_accepted == e->accepted);
    MUST(tlsmem_want(c, &want) == TLSMEM_OK && want.state == TLSMEM_STATE_CLOSED);
    act_inside(e);
}

static void on_early(tlsmem *c, const void *bytes, size_t n, void *user)
{
    end *e = user;
    MUST(e->c == c && e->established == 0 && e->closes == 0);
    got(e, bytes, n);
    e->early++;
    act_inside(e);
}

void end_callbacks(end *e, int push)
{
    const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, push ? on_data : NULL, on_drain, on_eof, on_close };
    MUST(tlsmem_set_callbacks(e->c, &callbacks, e) == TLSMEM_OK);
    e->push = push;
    if (e->side == 1 && now.kind & CALLS_EARLY)
        IGNORE(tlsmem_set_early_data_cb(e->c, push ? on_early : NULL, e));
}

void end_write(end *e, size_t n, int how)
{
    uint8_t *bytes = malloc(n);
    ptrdiff_t taken;
    MUST(bytes != NULL);
    for (size_t i = 0; i < n; i++)
        bytes[i] = expected(e->side, e->accepted + i);
    if (how == 1) {
        const struct iovec pieces[] = { { bytes, n / 3 }, { NULL, 0 }, { bytes + n / 3, n - n / 3 } };
        taken = tlsmem_writev(e->c, pieces, 3);
    } else if (how == 2)
        taken = tlsmem_write_early(e->c, bytes, n);
    else
        taken = tlsmem_write(e->c, bytes, n);
    free(bytes);
    MUST(taken <= (ptrdiff_t)n && taken != TLSMEM_EINVAL && (taken != 0 || n == 0));
    e->accepted += taken > 0 ? (uint64_t)taken : 0;
}

void end_read(end *e, size_t n, int how)
{
    const void *shown;
    size_t shown_n;
    if (how == 1) {
        if (tlsmem_read_peek(e->c, &shown, &shown_n) != TLSMEM_OK)
            return;
        size_t some = n < shown_n ? n : shown_n;
        if (some > 0)
            got(e, shown, some);
        MUST(tlsmem_read_consume(e->c, some) == TLSMEM_OK && tlsmem_read_consume(e->c, SIZE_MAX / 2) == TLSMEM_EINVAL);
        return;
    }
    uint8_t *bytes = malloc(n);
    MUST(bytes != NULL);
    ptrdiff_t taken = how == 2 ? tlsmem_read_early(e->c, bytes, n) : tlsmem_read(e->c, bytes, n);
    MUST(taken <= (ptrdiff_t)n && taken != TLSMEM_EINVAL);
    if (taken > 0)
        got(e, bytes, (size_t)taken);
    else if (taken == 0 && n > 0)
        e->is_at_end = 1;
    free(bytes);
}

void end_free(end *e)
{
    tlsmem *c = e->c;
    e->c = NULL;
    tlsmem_free(c);
}

void end_hold(const end *e)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    if (e->c == NULL)
        return;
    size_t limit = now.kind & CALLS_SMALL ? 32768 : 1048576, incoming = now.kind & CALLS_SMALL ? 4000 : 262144;
    MUST(tlsmem_want(e->c, &want) == TLSMEM_OK && tlsmem_report(e->c, &report) == TLSMEM_OK);
    MUST(report.bytes_accepted == e->accepted && report.bytes_encrypted <= e->accepted);
    /* Beside what the program writes there is what a handshake and the peer's KeyUpdates make wait. */
    MUST(want.deferred_bytes <= limit && want.outgoing_bytes <= limit + 65536 + 32768);
    MUST(want.incoming_bytes <= incoming + 2 * 16384 + (now.kind & CALLS_EARLY ? 16384 : 0));
    MUST((want.state == TLSMEM_STATE_CLOSED) || e->closes == 0);
    MUST(!want.has_plaintext == (want.incoming_bytes == 0));
}
