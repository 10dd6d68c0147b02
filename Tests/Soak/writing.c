/* What one end sends, and how it closes when all is said. */
#include "talk.h"

/** The bytes from a place on: the client's begin with its order. */
static void fill(talk *t, unsigned char *bytes, size_t n)
{
    size_t head = t->is_server ? 0 : sizeof(order), from = 0;
    if (t->sent < head) {
        from = head - t->sent < n ? head - t->sent : n;
        memcpy(bytes, (const char *)&t->plan.order + t->sent, from);
    }
    pattern_fill(bytes + from, t->plan.order.number * 2 + (unsigned)t->is_server, t->sent + from - head, n - from);
}

static size_t piece(talk *t)
{
    uint64_t left = t->to_send - t->sent;
    size_t most = t->plan.order.flags & CORKS ? 2000 : 65536;
    size_t n = seeded_next(&t->chance) % 8 == 0 ? seeded_size(&t->chance, most) : most;
    return n > left ? (size_t)left : n;
}

static void write_some(talk *t)
{
    static unsigned char bytes[65536];
    int corked = t->plan.order.flags & CORKS && tlsmem_cork(t->c) == TLSMEM_OK;
    while (!t->gone && !t->blocked && t->sent < t->to_send) {
        size_t n = piece(t);
        fill(t, bytes, n);
        ptrdiff_t taken = tlsmem_write(t->c, bytes, n);
        if (taken > 0)
            t->sent += (uint64_t)taken;
        if (taken == TLSMEM_AGAIN || (taken > 0 && ((size_t)taken < n || tlsmem_is_congested(t->c))))
            t->blocked = 1;
        else if (taken <= 0)
            t->blocked = 2; /* it has failed, and on_close is on its way */
    }
    if (corked && !t->gone)
        IGNORE(tlsmem_uncork(t->c));
}

/** Both have everything, or we have at least said all, where that is our part. */
static void end_well(talk *t)
{
    ending how = t->plan.order.ending;
    int all_received = t->received == t->to_receive;
    int server_closes = how == SERVER_CLOSES || (how == HALF_CLOSES && t->peer_closed);
    if (how == HALF_CLOSES && !t->is_server && !t->closed) {
        t->closed = 1;
        IGNORE(tlsmem_close_write(t->c));
    } else if (all_received && !t->closed && (t->is_server ? server_closes : how == CLIENT_CLOSES)) {
        t->closed = 1;
        tlsmem_close(t->c);
    } else if (all_received && !t->closed && !t->is_server && how == BOTH_UNWRAP) {
        t->closed = 1;
        if (tlsmem_unwrap(t->c) != TLSMEM_OK)
            wrong("%s may not unwrap", talk_name(t));
    }
}

void talk_go_on(talk *t)
{
    if (t->gone || t->closes > 0 || t->waits || !t->knows || t->plan.order.ending == STALLED)
        return;
    if (t->is_server && t->received < t->to_receive)
        return; /* first the request, then the answer */
    if (!t->established && !t->plan.eager)
        return;
    write_some(t);
    if (!t->gone && t->sent == t->to_send && t->established)
        end_well(t);
}
