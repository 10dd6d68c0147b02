/* One end: its life, and what comes to it. */
#include "talk.h"

tlsmem_loop *the_loop;
counts *own;
static talk *all;

/* ---- being there */

talk *talk_new(int is_server, const plan *p)
{
    talk *t = calloc(1, sizeof *t);
    MUST(t != NULL);
    t->is_server = is_server;
    t->fd = -1;
    t->plan = *p;
    t->chance.state = shared->seed * 31 + p->order.number * 2u + (unsigned)is_server;
    if (!is_server) {
        t->knows = 1;
        t->to_send = sizeof(order) + p->order.request;
        t->to_receive = p->order.answer;
    }
    t->next = all;
    t->link = &all;
    if (all != NULL)
        all->link = &t->next;
    all = t;
    ADD(own->begun, 1);
    uint64_t now = ADD(own->alive, 1) + 1;
    if (now > GET(own->alive_most))
        SET(own->alive_most, now);
    return t;
}

void talk_free(talk *t)
{
    if (t->gone)
        return;
    t->gone = 1;
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    asked_remove(t);
    if (t->closes == 0)
        ADD(own->left, 1);
    tlsmem_free(t->c);
    drive_end(t);
    tlsmem_timer_free(t->pause);
    free(t->kept);
    t->kept = NULL;
    ADD(own->freed, 1);
    ADD(own->alive, (uint64_t)-1);
    if (t->inside == 0)
        free(t);
}

void talk_enter(talk *t)
{
    t->inside++;
}

void talk_leave(talk *t)
{
    if (t->inside == 1 && !t->gone)
        drive_settle(t);
    if (--t->inside == 0 && t->gone)
        free(t);
}

void talks_free(void)
{
    while (all != NULL)
        talk_free(all);
}

void talk_later(talk *t, unsigned ms, void (*what)(tlsmem_timer *timer, void *user))
{
    tlsmem_timer_free(t->pause);
    t->pause = tlsmem_loop_timer(the_loop, ms, what, t);
    MUST(t->pause != NULL);
}

void talks_hurry(void)
{
    for (talk *t = all; t != NULL; t = t->next)
        if (t->waits)
            IGNORE(tlsmem_timer_set(t->pause, (int64_t)(seeded_next(&t->chance) % 300)));
}

const char *talk_name(const talk *t)
{
    static char text[160];
    const plan *p = &t->plan;
    snprintf(text, sizeof text, "connection %u (%s; %u and %u bytes; way %d, to %d, place %d, kind %d, name %d)", p->order.number,
             t->knows ? ending_table[p->order.ending].name : "not known yet", p->order.request, p->order.answer, p->way,
             p->changes_to, p->place, p->kind, p->name);
    return text;
}

static void no_longer_waits(tlsmem_timer *timer, void *user)
{
    talk *t = user;
    (void)timer;
    talk_enter(t);
    t->waits = 0;
    talk_go_on(t);
    talk_leave(t);
}

/* ---- what comes */

static void reads_on(tlsmem_timer *timer, void *user)
{
    talk *t = user;
    (void)timer;
    talk_enter(t);
    tlsmem_resume(t->c);
    talk_leave(t);
}

static void on_established(tlsmem *c, void *user)
{
    talk *t = user;
    talk_enter(t);
    if (t->established++ > 0 || t->gone || t->closes > 0 || c != t->c)
        wrong("%s was established again, or too late", talk_name(t));
    ADD(own->established, 1);
    ADD(own->resumed, (uint64_t)tlsmem_is_resumed(c));
    ADD(own->early, tlsmem_early_data_status(c) == TLSMEM_EARLY_ACCEPTED);
    if (!t->is_server && t->plan.order.at == 0)
        strike(t);
    if (!t->gone && t->plan.pause_ms > 0) {
        t->waits = 1;
        talk_later(t, shared->quiet_asked > GET(own->rested) ? 1 : t->plan.pause_ms, no_longer_waits);
    }
    if (!t->gone && t->plan.changes_to != t->way)
        drive_change(t);
    talk_go_on(t);
    talk_leave(t);
}

/** The first bytes of the client say what will be. Returns how many there were. */
static size_t take_order(talk *t, const unsigned char *bytes, size_t n)
{
    size_t have = (size_t)t->received, part = sizeof(order) - have;
    if (t->knows)
        return 0;
    part = part < n ? part : n;
    memcpy((char *)&t->plan.order + have, bytes, part);
    t->received += part;
    if (t->received == sizeof(order)) {
        order o = t->plan.order;
        if (o.ending >= ENDINGS || o.request > 1 << 20 || o.answer > 1 << 20)
            wrong("server: there is an order that nobody gave");
        t->knows = 1;
        t->received = 0;
        t->to_receive = o.request;
        t->to_send = o.answer;
    }
    return part;
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    talk *t = user;
    const unsigned char *at = bytes;
    talk_enter(t);
    if (t->gone || t->closes > 0 || t->peer_closed || c != t->c)
        wrong("%s has data out of turn", talk_name(t));
    ADD(own->received, n);
    size_t head = take_order(t, at, n);
    if (t->knows) {
        size_t same = pattern_differs(at + head, t->plan.order.number * 2 + !t->is_server, t->received, n - head);
        if (same != n - head || t->received + n - head > t->to_receive)
            wrong("%s has another byte at %llu", talk_name(t), (t->received + same));
        t->received += n - head;
        if (t->received >= t->plan.order.at)
            strike(t);
    }
    if (!t->gone && t->knows && t->plan.order.flags & READS_SLOWLY && !t->slowed && !t->waits) {
        t->slowed = 1;
        tlsmem_pause(c);
        talk_later(t, (unsigned)(seeded_next(&t->chance) % 50), reads_on);
    }
    if (!t->gone && t->plan.order.flags & NEW_KEYS && !t->turned && tlsmem_protocol(c) == TLSMEM_TLS1_3) {
        t->turned = 1;
        IGNORE(tlsmem_key_update(c, 1));
    }
    talk_go_on(t);
    talk_leave(t);
}

static void on_drain(tlsmem *c, void *user)
{
    talk *t = user;
    talk_enter(t);
    if (t->gone || t->closes > 0 || !t->blocked || c != t->c)
        wrong("%s has drained out of turn", talk_name(t));
    t->blocked = 0;
    talk_go_on(t);
    talk_leave(t);
}

static void on_eof(tlsmem *c, void *user)
{
    talk *t = user;
    talk_enter(t);
    if (t->peer_closed++ > 0 || t->gone || t->closes > 0 || c != t->c)
        wrong("%s has an end out of turn", talk_name(t));
    if (t->is_server && t->knows && t->plan.order.ending == BOTH_UNWRAP && t->received == t->to_receive) {
        IGNORE(tlsmem_unwrap(c));
    } else if (t->is_server && t->knows && t->plan.order.ending == HALF_CLOSES) {
        talk_go_on(t);
    } else {
        t->closed = 1;
        tlsmem_close(c);
    }
    talk_leave(t);
}

static void go(void *user)
{
    talk_free(user);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    talk *t = user;
    talk_enter(t);
    if (t->gone || c != t->c || t->closes++ > 0)
        wrong("%s was closed twice, or after it was freed", talk_name(t));
    ADD(own->closes, 1);
    ADD(own->sent, report->bytes_accepted);
    judge(t, report);
    if (!t->is_server)
        keep_session(t);
    drive_last_words(t);
    /* One in eight is freed a moment later. */
    if (seeded_next(&t->chance) % 8 != 0 || tlsmem_loop_post(the_loop, go, t) != TLSMEM_OK)
        talk_free(t);
    talk_leave(t);
}

const tlsmem_callbacks talk_callbacks = { sizeof talk_callbacks, on_established, on_data, on_drain, on_eof, on_close };
