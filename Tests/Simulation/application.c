/* What the programs do, at random moments, in callbacks and outside of them. */
#include "application.h"
#include "clock.h"
#include "questions.h"
#include "world.h"

const char *const deed_names[DEEDS] = {
    "write", "read", "pause", "cork", "half-close", "close", "abort", "free", "face", "key", "renegotiate", "request",
    "timeout", "ask", "callbacks", "session", "answer", "reload", "drive", "loop",
};

static const unsigned weights[DEEDS] = {
    [DEED_WRITE] = 400, [DEED_READ] = 100, [DEED_PAUSE] = 80, [DEED_CORK] = 50, [DEED_HALF_CLOSE] = 15,
    [DEED_CLOSE] = 15, [DEED_ABORT] = 4, [DEED_FREE] = 5, [DEED_FACE] = 60, [DEED_KEY] = 30, [DEED_RENEGOTIATE] = 30,
    [DEED_REQUEST] = 20, [DEED_TIMEOUT] = 8, [DEED_ASK] = 50, [DEED_CALLBACKS] = 20, [DEED_SESSION] = 40,
    [DEED_ANSWER] = 60, [DEED_RELOAD] = 4, [DEED_DRIVE] = 40, [DEED_LOOP] = 15,
};

/* ---- writing and reading */

static void told_congestion(end *e)
{
    if (e->c != NULL && tlsmem_is_congested(e->c))
        e->owes_drain = 1;
}

static void write_some(end *e)
{
    static unsigned char bytes[262144];
    size_t n = chance_size(&application_chance, chance_permille(&application_chance, 30) ? sizeof bytes : 20000);
    int is_early = e->may_write_early && !e->is_established && e->accepted == e->early && chance_permille(&application_chance, 700);
    struct iovec pieces[3];
    int count = 0;
    pattern_fill(e, bytes, n);
    for (size_t at = 0; count < 3 && at < n; count++) {
        size_t length = count == 2 ? n - at : chance_below(&application_chance, n - at + 1);
        pieces[count] = (struct iovec){ bytes + at, length };
        at += length;
    }
    ptrdiff_t taken = is_early ? tlsmem_write_early(e->c, bytes, n)
        : chance_permille(&application_chance, 250) ? tlsmem_writev(e->c, pieces, count) : tlsmem_write(e->c, bytes, n);
    note(is_early ? "tlsmem_write_early" : "tlsmem_write", e->number, taken, (long)n);
    if (is_early) {
        check_status(e, "tlsmem_write_early", taken, STATUS(TLSMEM_AGAIN) | STATUS(TLSMEM_ESTATE)
                     | STATUS(TLSMEM_ESESSION) | STATUS(TLSMEM_EALPN) | FAILURE | STATUS(TLSMEM_CLOSED));
        if (taken > 0)
            e->early += (uint64_t)taken;
    } else {
        check_status(e, "tlsmem_write", taken, STATUS(TLSMEM_AGAIN) | STATUS(TLSMEM_ESTATE) | STATUS(TLSMEM_CLOSED)
                     | STATUS(TLSMEM_ERESET) | FAILURE);
        int may_refuse = e->has_closed || e->has_closed_writing || e->has_unwrapped || e->lacks_eof_callback;
        if (taken == TLSMEM_ESTATE && !may_refuse)
            fail(e->number / 2, "write refused", "end %d: TLSMEM_ESTATE, and nobody has closed", e->number);
        if (taken == TLSMEM_AGAIN || (taken >= 0 && (size_t)taken < n))
            e->owes_drain = 1;
    }
    if (taken > (ptrdiff_t)n)
        fail(e->number / 2, "too much was taken", "end %d: %td of %zu", e->number, taken, n);
    if (taken > 0)
        e->accepted += (uint64_t)taken;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(e->c, &want);
    if (want.congested)
        e->owes_drain = 1;
    told_congestion(e);
    if (taken == TLSMEM_AGAIN && !is_early && want.outgoing_bytes + want.deferred_bytes == 0)
        fail(e->number / 2, "write refused", "end %d: TLSMEM_AGAIN, and nothing waits", e->number);
}

static void pause_or_resume(end *e)
{
    if (e->is_paused) {
        note("tlsmem_resume", e->number, 0, 0);
        e->is_paused = 0;
        tlsmem_resume(e->c);
    } else {
        note("tlsmem_pause", e->number, 0, 0);
        e->is_paused = 1;
        tlsmem_pause(e->c);
    }
}

static void cork_or_uncork(end *e)
{
    int adds = e->corks == 0 || chance_permille(&application_chance, 300);
    int status = adds ? tlsmem_cork(e->c) : tlsmem_uncork(e->c);
    note(adds ? "tlsmem_cork" : "tlsmem_uncork", e->number, status, e->corks);
    check_status(e, "tlsmem_cork", status, STATUS(TLSMEM_ESTATE) | STATUS(TLSMEM_CLOSED) | FAILURE);
    if (!adds || status == TLSMEM_OK)
        e->corks += adds ? 1 : -1;
}

/* ---- ending */

static void close_it(end *e)
{
    note("tlsmem_close", e->number, 0, 0);
    if (!e->has_closed && !e->is_closed)
        e->closed_at = clock_now();
    e->has_closed = 1;
    check_status(e, "tlsmem_close", tlsmem_close(e->c), 0);
}

static void close_half(end *e)
{
    e->has_closed_writing = 1;
    int status = tlsmem_close_write(e->c);
    note("tlsmem_close_write", e->number, status, 0);
    if (e->c != NULL)
        check_status(e, "tlsmem_close_write", status, STATUS(TLSMEM_ESTATE));
}

/* ---- keys, handshakes, sessions */

static void request(end *e)
{
    int status = tlsmem_request_certificate(e->c, certificate_shown, e);
    note("tlsmem_request_certificate", e->number, status, 0);
    check_status(e, "tlsmem_request_certificate", status, STATUS(TLSMEM_ESTATE) | STATUS(TLSMEM_AGAIN));
    if (status == TLSMEM_OK && e->waits_for_certificate)
        fail(e->number / 2, "two requests at once", "end %d", e->number);
    if (status == TLSMEM_OK)
        e->waits_for_certificate = 1; /* nothing is called back before it returns */
}

void take_session(end *e)
{
    tlsmem_session *session = tlsmem_session_get(e->c);
    note("tlsmem_session_get", e->number, session != NULL, 0);
    if (session == NULL)
        return;
    tlsmem_session_free(e->of->session);
    e->of->session = session;
}

static void set_timeout(end *e)
{
    tlsmem_timeout which = (tlsmem_timeout)(1 + chance_below(&application_chance, 5));
    uint32_t ms = (uint32_t)(200 + chance_size(&application_chance, 30000));
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(e->c, &error);
    if (error.status == TLSMEM_OK) { /* else it comes too late */
        e->timeouts[which] = ms;
        e->timed_at = clock_now();
    }
    note("tlsmem_set_timeout", e->number, (long)which, (long)ms);
    check_status(e, "tlsmem_set_timeout", tlsmem_set_timeout(e->c, which, ms), 0);
}

/* ---- whatever may be asked, or done for no reason */

static void ask(end *e)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_peer_details details = TLSMEM_PEER_DETAILS_INIT;
    char binding[64], subject[64];
    note("asked", e->number, tlsmem_interest(e->c), tlsmem_is_established(e->c));
    tlsmem_stats(e->c, &stats);
    tlsmem_error(e->c, &error);
    tlsmem_peer_info(e->c, &details);
    note("asked", e->number, (long)stats.plaintext_in, error.status);
    note("asked", e->number, tlsmem_channel_binding(e->c, TLSMEM_BINDING_EXPORTER, binding, sizeof binding),
         tlsmem_peer_subject(e->c, subject, sizeof subject));
    told_congestion(e);
    note("asked", e->number, tlsmem_trim(e->c), 0);
}

static void other_callbacks(end *e)
{
    if (e->is_closed)
        return;
    e->pulls = !e->pulls;
    e->has_pulled = 1;
    note("tlsmem_set_callbacks", e->number, e->pulls, 0);
    check_status(e, "tlsmem_set_callbacks", tlsmem_set_callbacks(e->c, end_callbacks(e), e), 0);
    if (!e->pulls && e->face != FACE_LOOP)
        tlsmem_handshake(e->c); /* what waits comes with the next driving call */
}

static void drive_for_nothing(end *e)
{
    uint64_t way = chance_below(&application_chance, 5);
    int status = way == 0 ? tlsmem_handshake(e->c) : way == 1 ? tlsmem_flush(e->c) : way == 2 ? tlsmem_on_readable(e->c)
        : way == 3 ? tlsmem_on_writable(e->c) : tlsmem_tick(e->c, clock_now());
    note("driven for nothing", e->number, (long)way, status);
    if (e->c != NULL)
        check_status(e, "driving", status, STATUS(TLSMEM_AGAIN) | STATUS(TLSMEM_CLOSED) | STATUS(TLSMEM_ESTATE) | FAILURE);
}

static void posted(void *loop)
{
    note("posted", -1, (long)((tlsmem_loop **)loop - w.loops), 0);
    w.posts--;
    w.events++;
}

static void disturb_loop(void)
{
    int i = (int)chance_below(&application_chance, (uint64_t)w.loops_count);
    switch (chance_below(&application_chance, 3)) {
    case 0: tlsmem_loop_wake(w.loops[i]); break;
    case 1:
        w.posts++;
        check_status(NULL, "tlsmem_loop_post", tlsmem_loop_post(w.loops[i], posted, &w.loops[i]), 0);
        break;
    default: tlsmem_loop_trim(w.loops[i]);
    }
    note("loop disturbed", -1, i, 0);
}

static void do_deed(deed which, end *e)
{
    int status;
    switch (which) {
    case DEED_WRITE: return write_some(e);
    case DEED_READ: return e->pulls || e->is_paused || chance_permille(&application_chance, 100)
            ? end_read(e, chance_size(&application_chance, 40000)) : (void)0;
    case DEED_PAUSE: return pause_or_resume(e);
    case DEED_CORK: return cork_or_uncork(e);
    case DEED_HALF_CLOSE: return close_half(e);
    case DEED_CLOSE: return close_it(e);
    case DEED_ABORT:
        e->has_aborted = 1;
        note("tlsmem_abort", e->number, 0, 0);
        return check_status(e, "tlsmem_abort", tlsmem_abort(e->c), 0);
    case DEED_FREE: return end_free(e);
    case DEED_FACE: return change_face(e);
    case DEED_KEY:
        status = tlsmem_key_update(e->c, chance_permille(&application_chance, 500));
        note("tlsmem_key_update", e->number, status, 0);
        return check_status(e, "tlsmem_key_update", status, STATUS(TLSMEM_ESTATE) | STATUS(TLSMEM_AGAIN));
    case DEED_RENEGOTIATE:
        e->renegotiates = 1;
        status = tlsmem_renegotiate(e->c);
        note("tlsmem_renegotiate", e->number, status, 0);
        return e->c != NULL ? check_status(e, "tlsmem_renegotiate", status, STATUS(TLSMEM_ESTATE)) : (void)0;
    case DEED_REQUEST: return request(e);
    case DEED_TIMEOUT: return set_timeout(e);
    case DEED_ASK: return ask(e);
    case DEED_CALLBACKS: return other_callbacks(e);
    case DEED_SESSION: return take_session(e);
    case DEED_ANSWER: return answer_question(e);
    case DEED_RELOAD: return service_has(e->of, SETTING_RELOAD) ? service_reload(e->of, e->number % 2) : (void)0;
    case DEED_DRIVE: return drive_for_nothing(e);
    case DEED_LOOP: return disturb_loop();
    case DEEDS: return;
    }
}

void act_on(end *e)
{
    unsigned all = 0;
    for (int i = 0; i < DEEDS; i++)
        all += weights[i];
    uint64_t drawn = chance_below(&application_chance, all);
    int which = 0;
    while (drawn >= weights[which])
        drawn -= weights[which++];
    w.events++;
    total.actions++;
    if ((chosen.deeds >> which & 1) != 0 && e->c != NULL && !e->leaves)
        do_deed((deed)which, e);
}

void act(void)
{
    w.actions--;
    if (w.opened < w.connections && chance_permille(&application_chance, 400))
        return open_connection(w.opened++);
    for (int tries = 0; tries < 8 && w.opened > 0; tries++) {
        end *e = &w.ends[chance_below(&application_chance, (uint64_t)w.opened)][chance_below(&application_chance, 2)];
        if (e->c != NULL && (!e->is_closed || tries == 7))
            return act_on(e);
    }
}

void act_last(end *e)
{
    if (is_alive(e) && e->is_paused)
        pause_or_resume(e);
    while (is_alive(e) && e->corks > 0)
        if (e->corks--, tlsmem_uncork(e->c) == TLSMEM_ESTATE)
            fail(e->number / 2, "cork", "end %d has lost a cork", e->number);
    if (is_alive(e))
        answer_question(e);
    if (is_alive(e) && !e->has_closed)
        close_it(e);
}
