/*
 * Nobody who stopped because a connection was congested, or took less than it was given, waits for ever: every order of
 * writing, flushing, draining, pausing and turning, from every place that a program may write from, in every face.
 *
 * The loop around the connection does no more than any program's would: it polls for what tlsmem_interest wants, and
 * calls. What a send inside tlsmem_write or tlsmem_flush has emptied must not be forgotten by that.
 */
#define _GNU_SOURCE
#include "pair.h"

#include <poll.h>
#include <sys/socket.h>

enum { PIECE = 6000, ENOUGH = 60, STEPS_MOST = 6 }; /* ENOUGH pieces fill the widest socket */
typedef enum place { PLAIN, POST, TIMER, DATA_OF_ANOTHER, DRAIN, PLACES } place;
static const char *const place_names[PLACES] = { "plain", "a post", "a timer", "on_data of another", "on_drain" };

/* write until it is stopped; a second writer writes a little; tlsmem_flush; the peer takes all, or a little;
   pause, resume; a turn of the loop around it */
static const char steps[] = "WwFDdPRT";

static int blocked[2], again;
static long stopped, woken;
static tlsmem_loop *side;
static tlsmem_ctx *other_ctx[2];
static end other, other_peer;
static char step_now;

static int stops(ptrdiff_t taken, size_t n)
{
    if (taken > 0) {
        client.sent += (uint64_t)taken;
        client.to_send = client.sent;
    }
    return taken == TLSMEM_AGAIN || (taken >= 0 && (size_t)taken < n) || tlsmem_is_congested(client.c);
}

static void produce(int who, size_t n, int times)
{
    static unsigned char bytes[PIECE];
    for (int i = 0; i < times && !blocked[who]; i++) {
        pattern_fill(bytes, client.stream, client.sent, n);
        blocked[who] = stops(tlsmem_write(client.c, bytes, n), n);
        stopped += blocked[who];
        client.drain_owed |= blocked[who];
    }
}

static void when_drained(end *e, event what)
{
    (void)e;
    if (what != EVENT_DRAIN)
        return;
    woken++;
    blocked[0] = blocked[1] = 0;
    if (again > 0 && again-- > 0)
        produce(0, PIECE, ENOUGH);
}

/** The peer takes so much of what the socket, or the queue, holds. */
static void take(size_t most)
{
    static unsigned char bytes[4096];
    while (most > 0) {
        ptrdiff_t got = end_take(&client, bytes, most < sizeof bytes ? most : sizeof bytes);
        if (got <= 0)
            return;
        MUST(end_give(&server, bytes, (size_t)got) == (size_t)got);
        most -= (size_t)got;
    }
}

static void do_step(void)
{
    switch (step_now) {
    case 'W': produce(0, PIECE, ENOUGH); break;
    case 'w': produce(1, 100, 1); break;
    case 'F': IGNORE(tlsmem_flush(client.c) != 0); break;
    case 'D': take(SIZE_MAX); break;
    case 'd': take(3000); break;
    case 'P': tlsmem_pause(client.c); break;
    case 'R': tlsmem_resume(client.c); break;
    default: break;
    }
}

static void posted(void *arg)
{
    (void)arg;
    do_step();
}

static void rung(tlsmem_timer *timer, void *user)
{
    (void)user;
    do_step();
    tlsmem_timer_free(timer);
}

static void heard(end *e, event what)
{
    (void)e;
    if (what == EVENT_DATA)
        do_step();
}

static void carry(end *from, end *to)
{
    static unsigned char bytes[65536];
    for (ptrdiff_t n; (n = end_take(from, bytes, sizeof bytes)) > 0;)
        MUST(end_give(to, bytes, (size_t)n) == (size_t)n);
}

/** Does a step from inside whatever the place is. */
static void step_from(place from, char step)
{
    step_now = step;
    tlsmem_loop *loop = client.loop != NULL ? client.loop : side;
    if (step == 'T') {
        end_drive(&client);
    } else if (from == POST) {
        MUST(tlsmem_loop_post(loop, posted, NULL) == TLSMEM_OK);
        MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    } else if (from == TIMER) {
        MUST(tlsmem_loop_timer(loop, 0, rung, NULL) != NULL);
        MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    } else if (from == DATA_OF_ANOTHER) {
        MUST(tlsmem_write(other_peer.c, (unsigned char[1]){ 0 }, 1) == 1);
        other.received = 0;
        carry(&other_peer, &other);
    } else {
        do_step();
    }
}

/** The peer takes all that there is, and the loop polls, until nothing moves. */
static void come_to_rest(void)
{
    for (int idle = 0; idle < 3;) {
        uint64_t before = client.activity + server.activity;
        end_drive(&client);
        take(SIZE_MAX);
        idle = client.activity + server.activity == before ? idle + 1 : 0;
    }
}

static void play(place from, const char *order)
{
    again = from == DRAIN ? 2 : 0;
    for (const char *at = order; *at != 0; at++)
        step_from(from, *at);
    tlsmem_resume(client.c);
    come_to_rest();
    int is_lost = blocked[0] || blocked[1];
    CHECK(!is_lost, "%s from %s: a producer sleeps, %zu bytes wait, interest %d", order, place_names[from],
          want_of(client.c).outgoing_bytes, tlsmem_interest(client.c));
    CHECK(server.received == client.sent && server.wrong == 0 && client.wrong == 0,
          "%s from %s: %llu sent, %llu received, %d and %d wrong", order, place_names[from],
          (unsigned long long)client.sent, (unsigned long long)server.received, client.wrong, server.wrong);
    CHECK(tlsmem_interest(client.c) == (client.face == FACE_FD || client.face == FACE_REGISTRY ? POLLIN : 0)
              && tlsmem_deadline(client.c) == -1 && !tlsmem_is_congested(client.c),
          "%s from %s: at rest its interest is %d", order, place_names[from], tlsmem_interest(client.c));
    blocked[0] = blocked[1] = 0;
    client.wrong = server.wrong = 0;
}

static void open_other(void)
{
    side = new_loop();
    MUST(side != NULL);
    other_ctx[0] = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    other_ctx[1] = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    end_open(&other_peer, other_ctx[0], FACE_BUFFERS, NULL, 0, 0);
    end_open(&other, other_ctx[1], FACE_BUFFERS, NULL, 1, 0);
    for (int i = 0; i < 4; i++) {
        carry(&other_peer, &other);
        carry(&other, &other_peer);
    }
    MUST(other.established && other_peer.established);
    other.hook = heard;
}

static void close_other(void)
{
    end_finish(&other);
    end_finish(&other_peer);
    for (int i = 0; i < 2; i++)
        tlsmem_ctx_free(other_ctx[i]);
    tlsmem_loop_free(side);
}

static void every_order(face face, int is_wide, int length)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = 60000;
    limits.outgoing_high = 20000;
    limits.outgoing_low = 8000;
    scene s = { "drains", TLSMEM_TLS1_3, face, FACE_BUFFERS, &limits };
    pair_establish(&s);
    if (client.fd >= 0 && !is_wide) /* full soon; a wide one takes all that may wait, again and again */
        MUST(setsockopt(client.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 8192 }, sizeof(int)) == 0);
    client.hook = when_drained;
    stopped = woken = 0;
    long orders = 0, all = 1;
    for (int i = 0; i < length; i++)
        all *= (long)sizeof steps - 1;
    for (int from = 0; from < PLACES; from++) {
        situation("drains: %s, %s socket, from %s", face_names[face], is_wide ? "wide" : "narrow", place_names[from]);
        for (long number = 0; number < all; number++, orders++) {
            char order[STEPS_MOST + 1] = { 0 };
            long rest = number;
            for (int i = 0; i < length; i++, rest /= (long)sizeof steps - 1)
                order[i] = steps[rest % ((long)sizeof steps - 1)];
            if (strchr(order, 'W') != NULL) /* who never fills it is never stopped */
                play((place)from, order);
        }
    }
    CHECK(stopped > 1000 || short_run(), "only %ld were ever stopped", stopped);
    printf("drains: %s, %s: %ld orders of %d steps; producers stopped %ld times, woken %ld times\n", face_names[face],
           is_wide ? "wide" : "narrow", orders, length, stopped, woken);
    pair_close();
}

int main(void)
{
    begin("drains");
    open_other();
    int length = (int)setting("DRAINS_STEPS", short_run() ? 2 : 4);
    for (int face = FACE_BUFFERS; face <= FACE_REGISTRY; face++)
        for (int is_wide = 0; is_wide <= (face != FACE_BUFFERS); is_wide++)
            every_order((enum face)face, is_wide, length < STEPS_MOST ? length : STEPS_MOST);
    close_other();
    return finish();
}
