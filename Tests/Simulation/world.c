/* A seed from its first choice to the last block of memory. */
#define _GNU_SOURCE
#include "world.h"
#include "clock.h"
#include "questions.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LAST_MS = 60000 };

world w;

/* ---- choices */

static int draw_connections(void)
{
    if (chance_permille(&world_chance, 33))
        return 100 + (int)chance_below(&world_chance, 301);
    return 1 + (int)chance_size(&world_chance, 16);
}

static unsigned draw_faults(void)
{
    unsigned faults = (unsigned)chance_next(&world_chance) & ((1u << FAULTS) - 1);
    if (chance_permille(&world_chance, 500))
        faults &= (unsigned)chance_next(&world_chance); /* few */
    return chance_permille(&world_chance, 100) ? 0 : faults;
}

static void listen_for(int i)
{
    service *s = &w.services[i];
    w.listening[i] = -1;
    w.listeners[i] = NULL;
    if (chance_permille(&world_chance, 600)) {
        tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
        options.host = "127.0.0.1";
        options.port = (i + 1) * PORTS_EACH;
        options.on_accept = on_accepted;
        options.user = s;
        if (chance_permille(&world_chance, 250))
            options.connections_max = w.connections_max[i] = (int)chance_size(&world_chance, 12);
        int status = tlsmem_loop_listen(w.loops[chance_below(&world_chance, (uint64_t)w.loops_count)], s->contexts[1],
                                        &options, &w.listeners[i]);
        if (status == TLSMEM_OK && w.loops_count > 1 && chance_permille(&world_chance, 300))
            for (int loop = 0; loop < w.loops_count; loop++)
                tlsmem_listener_add_loop(w.listeners[i], w.loops[loop]);
        if (status == TLSMEM_OK)
            return;
        check_status(NULL, "tlsmem_loop_listen", status, STATUS(TLSMEM_ESYSTEM) | STATUS(TLSMEM_ENOIDENTITY));
    }
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)((i + 1) * PORTS_EACH)) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w.listening[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (w.listening[i] >= 0) {
        bind(w.listening[i], (struct sockaddr *)&at, sizeof at);
        listen(w.listening[i], 512);
    }
}

static void begin(void)
{
    chance_begin(chosen.seed);
    clock_begin();
    journal_begin();
    memset(&w, 0, sizeof w);
    int connections = draw_connections();
    w.connections = chosen.connections >= 0 ? chosen.connections : connections;
    long actions = (long)connections * (long)(4 + chance_below(&world_chance, 20));
    w.actions = chosen.actions >= 0 ? chosen.actions : actions;
    unsigned faults = draw_faults() & chosen.faults;
    w.services_count = 1 + (int)chance_below(&world_chance, SERVICES_MOST);
    w.loops_count = 1 + (int)chance_below(&world_chance, LOOPS_MOST);
    kernel_begin(0);
    for (int i = 0; i < w.loops_count; i++) {
        tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
        options.edge_triggered = w.loop_is_edge[i] = (int)chance_below(&world_chance, 2);
        options.handshakes_per_turn = (int)chance_below(&world_chance, 4);
        w.loops[i] = tlsmem_loop_new_with(&options);
        if (w.loops[i] == NULL)
            fail(-1, "tlsmem_loop_new_with", "there is no loop");
    }
    for (int i = 0; i < w.services_count; i++) {
        service_begin(&w.services[i]);
        listen_for(i);
    }
    kernel_faults = faults;
    note("world", w.connections, (long)faults, (long)w.services[0].has);
    w.next_action = clock_now();
    for (int i = 0; i < CONNECTIONS_MOST; i++) {
        w.ends[i][0].number = i * 2;
        w.ends[i][1].number = i * 2 + 1;
        w.ends[i][0].of = w.ends[i][1].of = &w.services[i % w.services_count];
        w.ends[i][0].fd = w.ends[i][1].fd = -1;
    }
}

/* ---- rounds */

/** Drives whoever is ready, each once, beginning anywhere. Returns how many were. */
static int drive_all(void)
{
    int all = w.loops_count + w.services_count + w.opened * 2, driven = 0;
    int first = (int)chance_below(&world_chance, (uint64_t)all), step = chance_permille(&world_chance, 500) ? 1 : all - 1;
    int is_lazy = chance_permille(&world_chance, 300);
    for (int i = 0, at = first; i < all; i++, at = (at + step) % all) {
        int who = at;
        if (who < w.loops_count) {
            driven += loop_drive(who);
            continue;
        }
        who -= w.loops_count;
        if (who < w.services_count) {
            if (w.listening[who] >= 0 && (kernel_ready(w.listening[who]) & EPOLLIN) != 0) {
                accept_by_hand(who);
                driven++;
            }
            continue;
        }
        who -= w.services_count;
        end *e = &w.ends[who / 2][who % 2];
        if (e->c == NULL)
            continue;
        uint64_t before = w.events;
        if (is_lazy && chance_permille(&world_chance, 200))
            driven++; /* its turn comes in another round */
        else
            driven += end_drive(e);
        if (w.is_ending && e->c != NULL && e->pulls)
            end_read(e, SIZE_MAX);
        driven += w.events != before;
    }
    return driven;
}

static int64_t sooner(int64_t one, int64_t other)
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

/** When the next thing happens by itself; -1 for never. */
static int64_t next_moment(void)
{
    int64_t next = kernel_next();
    for (int i = 0; i < w.loops_count; i++) {
        int timeout = tlsmem_loop_timeout(w.loops[i]);
        next = sooner(next, timeout < 0 ? -1 : clock_now() + timeout);
    }
    for (int i = 0; i < w.opened; i++)
        for (int side = 0; side < 2; side++)
            next = sooner(next, end_next(&w.ends[i][side]));
    return next;
}

static int alive(void)
{
    int count = 0;
    for (int i = 0; i < w.opened; i++)
        for (int side = 0; side < 2; side++)
            count += w.ends[i][side].c != NULL;
    return count;
}

/** Everybody waits: on to whatever is next. */
static void wait_for(int64_t action)
{
    int64_t next = sooner(next_moment(), action);
    check_quiet();
    if (next < 0)
        return;
    if (next <= clock_now() && action != next)
        fail(-1, "spin", "something is due, and nobody does it");
    clock_forward_to(next);
    if (strikes(FAULT_JUMP, 5))
        clock_jump((int64_t)chance_below(&kernel_chance, 7200) - 3600);
}

static void live(void)
{
    while (w.actions > 0 || w.opened < w.connections) {
        if (clock_now() >= w.next_action) {
            if (w.actions <= 0)
                open_connection(w.opened++);
            else
                act();
            w.next_action = clock_now();
            if (chance_permille(&world_chance, 400))
                w.next_action += (int64_t)chance_size(&world_chance, chance_permille(&world_chance, 20) ? 4000 : 40);
        }
        for (int i = (int)chance_below(&world_chance, 6); i > 0 && drive_all() > 0; i--) {
        }
        if (clock_now() < w.next_action && drive_all() == 0)
            wait_for(w.next_action);
    }
}

static void who_is_left(void)
{
    for (int i = 0; i < w.opened; i++)
        for (int side = 0; side < 2; side++) {
            end *e = &w.ends[i][side];
            tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
            if (e->c == NULL)
                continue;
            tlsmem_want(e->c, &want);
            fprintf(stderr, "  end %d waits: face %d, state %d, closed %d, needs %d, has %d, incoming %zu, outgoing %zu, "
                    "deferred %zu, paused %d, question %d, ready %x, in flight %zu, deadline in %lld ms\n", e->number,
                    e->face, want.state, e->is_closed, want.needs_ciphertext, want.has_ciphertext, want.incoming_bytes,
                    want.outgoing_bytes, want.deferred_bytes, want.paused, want.waits_for, kernel_ready(e->fd),
                    kernel_in_flight(e->fd), (long long)(want.deadline_ms < 0 ? -1 : want.deadline_ms - clock_now()));
        }
}

/** Faults stop, everybody goes on and closes, and within bounded time all has ended: who never hears on_close stays for ever. */
static void finish_all(void)
{
    int64_t until = clock_now() + LAST_MS;
    w.is_ending = 1;
    kernel_calms();
    note("the end begins", -1, w.opened, 0);
    for (int round = 0; alive() > 0; round++) {
        for (int i = 0; i < w.opened; i++)
            for (int side = 0; side < 2; side++)
                if (w.ends[i][side].c != NULL && (round > 20 || chance_permille(&world_chance, 300)))
                    act_last(&w.ends[i][side]);
        if (drive_all() > 0 || round <= 20 || alive() == 0)
            continue;
        int64_t next = next_moment();
        check_quiet();
        if (next < 0 || next > until) {
            who_is_left();
            fail(-1, "stall", "%d ends are left, and nobody does anything", alive());
        }
        if (next <= clock_now())
            fail(-1, "spin", "something is due, and nobody does it");
        clock_forward_to(next);
    }
}

void world_clear(void)
{
    for (int i = 0; i < w.loops_count; i++)
        tlsmem_loop_free(w.loops[i]);
    for (int i = 0; i < w.services_count; i++) {
        if (w.listening[i] >= 0)
            close(w.listening[i]);
        service_end(&w.services[i]);
    }
    store_end();
}

void world_run(void)
{
    begin();
    live();
    finish_all();
    for (int i = 0; i < w.loops_count; i++)
        tlsmem_loop_trim(w.loops[i]);
    world_clear();
    total.milliseconds += (uint64_t)clock_since_begin();
}
