#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>

const char *const cut_names[3] = { "whole", "one byte at a time", "seeded cuts" };

/* ---- ciphertext, as the wire sees it */

ptrdiff_t end_take(end *e, void *bytes, size_t n)
{
    const void *waiting;
    size_t length;
    if (e->face != FACE_BUFFERS) {
        ptrdiff_t got = e->outer >= 0 ? recv(e->outer, bytes, n, 0) : 0;
        if (got > 0)
            e->activity++;
        return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
    }
    if (e->freed)
        return -1;
    if (tlsmem_outgoing_peek(e->c, &waiting, &length) != TLSMEM_OK)
        return end_ended(e) ? -1 : 0;
    if (end_ended(e) && ++e->taken_after_end > 100000) {
        e->wrong++; /* it shows the same bytes for ever, though they were consumed */
        return -1;
    }
    if (length > n)
        length = n;
    memcpy(bytes, waiting, length);
    e->activity++;
    tlsmem_outgoing_consume(e->c, length);
    return (ptrdiff_t)length;
}

size_t end_give(end *e, const void *bytes, size_t n)
{
    ptrdiff_t taken;
    if (end_ended(e))
        return n;
    if (e->face == FACE_BUFFERS) {
        taken = tlsmem_feed(e->c, bytes, n);
        if (taken < 0 && taken != TLSMEM_AGAIN)
            taken = (ptrdiff_t)n;
    } else {
        taken = send(e->outer, bytes, n, MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN)
            taken = (ptrdiff_t)n;
    }
    if (taken <= 0)
        taken = 0;
    else
        e->activity++;
    end_drive(e);
    return (size_t)taken;
}

void end_give_eof(end *e)
{
    if (end_ended(e))
        return;
    e->activity++;
    if (e->face == FACE_BUFFERS)
        tlsmem_feed_eof(e->c);
    else
        shutdown(e->outer, SHUT_WR);
    end_drive(e);
}

/* ---- cuts */

void wire_open(wire *w, end *client, end *server, cut how)
{
    memset(&w->up, 0, offsetof(direction, bytes));
    memset(&w->down, 0, offsetof(direction, bytes));
    w->client = client;
    w->server = server;
    w->how = how;
    w->bytewise_most = (uint64_t)setting("WIRE_BYTEWISE_MOST", 65536);
    w->up.from = w->down.to = client;
    w->up.to = w->down.from = server;
    w->up.random.state = how.seed * 2;
    w->down.random.state = how.seed * 2 + 1;
}

static size_t piece_of(const wire *w, direction *d, size_t most)
{
    if (w->how.kind == CUT_WHOLE)
        return most;
    if (w->how.kind == CUT_BYTES && d->given < w->bytewise_most)
        return 1;
    size_t piece = seeded_size(&d->random, 65536);
    return piece < most ? piece : most;
}

static void take(wire *w, direction *d)
{
    for (int pieces = 0; pieces < 64 && !d->ended; pieces++) {
        size_t end_of_held = d->first + d->length;
        size_t room = sizeof d->bytes - end_of_held;
        if (room == 0)
            break;
        ptrdiff_t got = end_take(d->from, d->bytes + end_of_held, piece_of(w, d, room));
        if (got == 0)
            break;
        if (got < 0)
            d->ended = 1;
        else
            d->length += (size_t)got;
    }
}

static void give(wire *w, direction *d)
{
    if (end_ended(d->to))
        d->length = 0; /* nobody is there to take it */
    for (int pieces = 0; pieces < 64 && d->length > 0; pieces++) {
        if (d->meddle != NULL && d->meddle(d) != 0)
            return;
        if (d->length == 0)
            break;
        d->giving = piece_of(w, d, d->length);
        size_t taken = end_give(d->to, d->bytes + d->first, d->giving);
        d->giving = 0;
        if (taken == 0)
            return;
        d->given += taken;
        d->first += taken;
        d->length -= taken;
    }
    if (d->length == 0)
        d->first = 0;
    if (d->ended && d->length == 0 && !d->eof_given) {
        d->eof_given = 1;
        end_give_eof(d->to);
    }
}

ptrdiff_t wire_feed_inside(direction *d)
{
    size_t next = d->first + d->giving, n = d->length - d->giving;
    ptrdiff_t taken = tlsmem_feed(d->to->c, d->bytes + next, n);
    if (taken > 0) {
        memmove(d->bytes + next, d->bytes + next + taken, n - (size_t)taken);
        d->length -= (size_t)taken;
        d->given += (uint64_t)taken;
        d->to->activity++;
    }
    return taken;
}

static void move_ciphertext(wire *w, direction *d)
{
    if (d->cut_off)
        return;
    take(w, d);
    give(w, d);
    if (d->length > 0 && d->first > sizeof d->bytes / 2) {
        memmove(d->bytes, d->bytes + d->first, d->length);
        d->first = 0;
    }
}

/* ---- turns */

int wire_turn(wire *w)
{
    uint64_t before = w->client->activity + w->server->activity;
    end_step(w->client);
    end_step(w->server);
    end_drive(w->client);
    end_drive(w->server);
    move_ciphertext(w, &w->up);
    move_ciphertext(w, &w->down);
    return w->client->activity + w->server->activity != before;
}

int wire_run(wire *w, int (*done)(const wire *w))
{
    int idle = 0;
    while (!done(w)) {
        idle = wire_turn(w) ? 0 : idle + 1;
        if (idle >= 16)
            return 0;
    }
    return 1;
}

int both_ended(const wire *w)
{
    return end_ended(w->client) && end_ended(w->server);
}

int both_established(const wire *w)
{
    return w->client->established && w->server->established;
}

static int never(const wire *w)
{
    (void)w;
    return 0;
}

void wire_settle(wire *w)
{
    wire_run(w, never);
}

void wire_establish(wire *w)
{
    MUST(wire_run(w, both_established));
}
