#include "flight.h"

/** One connection, and what has been asked about it. */
typedef struct {
    const peer *other;
    outcome o;
    unsigned flags;
    tlsmem_question question;
    uint64_t token;
} run;

static uint64_t mark(uint64_t so_far, const void *bytes, size_t n)
{
    for (const uint8_t *b = bytes, *end = b + n; b != end; b++)
        so_far = (so_far ^ *b) * 0x100000001b3;
    return so_far;
}

static void on_established(tlsmem *c, void *user)
{
    run *r = user;
    MUST(r->o.established++ == 0 && r->o.closes == 0 && tlsmem_is_established(c));
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    run *r = user;
    MUST(n > 0 && r->o.established == 1 && r->o.closes == 0 && r->o.ends == 0 && tlsmem_is_established(c));
    r->o.data_mark = mark(r->o.data_mark, bytes, n), r->o.data += n;
}

static void on_eof(tlsmem *c, void *user)
{
    run *r = user;
    MUST(r->o.ends++ == 0 && r->o.closes == 0);
    SAY(c, "goodbye");
    MUST(tlsmem_close(c) == TLSMEM_OK);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    run *r = user;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    MUST(r->o.closes++ == 0 && tlsmem_want(c, &want) == TLSMEM_OK && want.state == TLSMEM_STATE_CLOSED);
    r->o.status = report->status;
}

int flight_asked(tlsmem *c, tlsmem_question question, uint64_t token)
{
    run *r = tlsmem_user(c);
    MUST(r->question == TLSMEM_QUESTION_NONE && token != 0);
    r->question = question, r->token = token;
    if (r->flags & FLIGHT_LATER)
        return 1;
    r->question = TLSMEM_QUESTION_NONE;
    fuzzed.answer(c, question, token);
    return 0;
}

static void send_all(tlsmem *c, run *r)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(c, &bytes, &n) == TLSMEM_OK) {
        MUST(n > 0);
        r->o.sent_mark = mark(r->o.sent_mark, bytes, n), r->o.sent += n;
        if (r->other->sent != NULL)
            r->other->sent(r->other->user, bytes, n);
        MUST(tlsmem_outgoing_consume(c, n) == TLSMEM_OK);
    }
}

/** What a program does between two pieces. */
static void tend(tlsmem *c, run *r)
{
    uint8_t bytes[500];
    ptrdiff_t n;
    send_all(c, r);
    for (int most = 100; r->question != TLSMEM_QUESTION_NONE && most > 0; most--) {
        tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
        MUST(tlsmem_want(c, &want) == TLSMEM_OK && (want.waits_for == r->question || r->o.closes > 0));
        tlsmem_question question = r->question;
        r->question = TLSMEM_QUESTION_NONE;
        fuzzed.answer(c, question, r->token);
        IGNORE(tlsmem_handshake(c));
        send_all(c, r);
    }
    while (r->flags & FLIGHT_PULL && (n = tlsmem_read(c, bytes, sizeof bytes)) > 0)
        r->o.data_mark = mark(r->o.data_mark, bytes, (size_t)n), r->o.data += (size_t)n;
}

/** Feeds a piece, until it was taken or nothing more can be. */
static void feed(tlsmem *c, run *r, const uint8_t *piece, size_t n)
{
    for (int idle = 0; n > 0 && idle < 3;) {
        ptrdiff_t taken = tlsmem_feed(c, piece, n);
        MUST(taken <= (ptrdiff_t)n && taken != 0 && taken != TLSMEM_EINVAL && taken != TLSMEM_ESTATE);
        tend(c, r);
        if (taken < 0 && taken != TLSMEM_AGAIN)
            return;
        idle = taken > 0 ? 0 : idle + 1;
        if (taken > 0)
            piece += taken, n -= (size_t)taken;
    }
}

outcome flight_once(unsigned which, unsigned flags, const peer *other)
{
    const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, flags & FLIGHT_PULL ? NULL : on_data, NULL,
                                         on_eof, on_close };
    tlsmem_ctx *ctx = flight_context(which);
    run r = { .other = other, .flags = flags };
    world_begin(2);
    tlsmem *c = tlsmem_new(ctx, &callbacks, &r);
    MUST(c != NULL);
    fuzzed.set_up(c, which);
    if (flags & FLIGHT_WRITE)
        MUST(tlsmem_write(c, "first", 5) == 5);
    tend(c, &r);
    size_t n;
    do {
        uint8_t bytes[1 << 16];
        n = other->next(other->user, bytes, sizeof bytes);
        uint8_t *copy = malloc(n); /* for the sanitizer to see its bounds */
        MUST(copy != NULL);
        memcpy(copy, bytes, n);
        feed(c, &r, copy, n);
        free(copy);
    } while (n > 0);
    if (flags & FLIGHT_CLOSE)
        MUST(tlsmem_close(c) == TLSMEM_OK);
    tend(c, &r);
    ask_everything(c);
    if (flags & FLIGHT_END)
        IGNORE(tlsmem_feed_eof(c));
    tend(c, &r);
    int64_t deadline = tlsmem_deadline(c);
    if (deadline >= 0)
        IGNORE(tlsmem_tick(c, deadline));
    tend(c, &r);
    ask_everything(c);
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_error(c, &error) == TLSMEM_OK);
    r.o.alert = error.alert_sent;
    tlsmem_free(c);
    world_end();
    return r.o;
}

tlsmem_ctx *flight_context(unsigned which)
{
    static tlsmem_ctx *contexts[FLIGHT_CONTEXTS];
    if (contexts[which] == NULL) {
        world_begin(3);
        contexts[which] = fuzzed.context_of(which);
        tlsmem_free(tlsmem_new(contexts[which], NULL, NULL)); /* which freezes it: that takes random numbers, too */
        world_end();
    }
    return contexts[which];
}

/** An input, and how it is cut: 0 for not at all. */
typedef struct {
    input in;
    unsigned cut;
    uint32_t random;
} pieces;

static size_t next_piece(void *user, uint8_t *bytes, size_t n)
{
    pieces *p = user;
    size_t got;
    p->random = p->random * 1664525 + 1013904223;
    if (p->cut > 0)
        n = 1 + (p->random >> 16) % p->cut;
    const uint8_t *piece = take_bytes(&p->in, n, &got);
    memcpy(bytes, piece, got);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    input in = { bytes, n };
    unsigned which = below(&in, FLIGHT_CONTEXTS), flags = take(&in), cut = take(&in);
    pieces all = { in, 0, 0 }, some = { in, 1 + cut, cut };
    outcome whole = flight_once(which, flags, &(peer){ next_piece, NULL, &all });
    outcome cuts = flight_once(which, flags, &(peer){ next_piece, NULL, &some });
    if (!fuzzed.is_same_again(which))
        return 0;
    MUST(whole.sent == cuts.sent && whole.sent_mark == cuts.sent_mark);
    MUST(whole.data == cuts.data && whole.data_mark == cuts.data_mark);
    MUST(whole.established == cuts.established && whole.ends == cuts.ends && whole.closes == cuts.closes);
    MUST(whole.status == cuts.status && whole.alert == cuts.alert);
    return 0;
}
