/* What the scenes with connections share: the loops, the pairs in them, the clock, and what is checked of them. */
#define _GNU_SOURCE
#include "sweep.h"

#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

enum { TURNS_MOST = 20000, LEAP_MOST_MS = 1000 };

pair pairs[PAIRS];
tlsmem_loop *loops[2];

/* ---- a clock that leaps to the next deadline when nothing else is waited for */

int sweep_patience_ms;
static int64_t leapt_ms;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*next)(clockid_t, struct timespec *);
    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    int result = next(clock, now);
    if (clock == CLOCK_MONOTONIC) {
        int64_t ns = now->tv_nsec + leapt_ms % 1000 * 1000000;
        now->tv_sec += (time_t)(leapt_ms / 1000 + ns / 1000000000);
        now->tv_nsec = (long)(ns % 1000000000);
    }
    return result;
}

void sweep_leap(int64_t ms)
{
    leapt_ms += ms;
}

int sweep_others_work(void)
{
    int threads = -2; /* less "." and ".." */
    DIR *folder = opendir("/proc/self/task");
    MUST(folder != NULL);
    while (readdir(folder) != NULL)
        threads++;
    closedir(folder);
    return threads > 1;
}

/* ---- making */

int sweep_open(void)
{
    memset(pairs, 0, sizeof pairs);
    sweep_patience_ms = 10;
    for (int i = 0; i < PAIRS; i++) {
        end_adopt(&pairs[i].client, NULL, 0);
        end_adopt(&pairs[i].served, NULL, 1);
    }
    for (int i = 0; i < 2; i++) {
        loops[i] = new_loop();
        if (loops[i] == NULL && sweep_excuses(TLSMEM_ESYSTEM) && !sweep_lasts())
            loops[i] = new_loop();
        CHECK(loops[i] != NULL, "no loop, also without a fault");
    }
    return loops[0] != NULL && loops[1] != NULL;
}

void sweep_task(end *e, uint64_t bytes)
{
    e->to_send = e->to_receive = bytes;
}

/** Frees in on_close, as programs do. */
static void free_at_close(end *e, event what)
{
    if (what == EVENT_CLOSE)
        end_free_connection(e);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    pair *p = user;
    unsigned char greeting[4];
    (void)listener;
    CHECK(p->served.c == NULL && !p->served.freed, "accepted twice");
    end_adopt(&p->served, accepted->connection, 1);
    p->served.hook = free_at_close;
    p->served.close_on_eof = 1;
    sweep_task(&p->served, p->client.to_receive);
    accepted->callbacks = &end_callbacks;
    accepted->user = &p->served;
    pattern_fill(greeting, 1, 0, sizeof greeting);
    /* It begins the handshake: without memory for that it takes nothing now, or the connection has failed. */
    ptrdiff_t n = tlsmem_write(p->served.c, greeting, sizeof greeting);
    int status = n < 0 ? failure_of(p->served.c) : TLSMEM_OK;
    CHECK(n == sizeof greeting || (n < 0 && faulty_happened() && sweep_excuses(status)), "greeting: %td, %s", n,
          tlsmem_status_name(status));
    p->served.blocked = p->served.drain_owed = n == TLSMEM_AGAIN;
    if (n > 0)
        p->served.sent = (uint64_t)n;
    return 0;
}

static void on_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    (void)listener, (void)user;
    CHECK(sys_errno > 0 && faulty_happened(), "on_error with %d", sys_errno);
}

int sweep_listen(int i, tlsmem_ctx *ctx, const char *path)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.host = path == NULL ? "127.0.0.1" : NULL;
    options.path = path;
    options.on_accept = on_accept;
    options.on_error = on_error;
    options.user = &pairs[i];
    return TRY(tlsmem_loop_listen(loops[0], ctx, &options, &pairs[i].listener));
}

/* ---- running */

static int is_done(const pair *p)
{
    const end *c = &p->client, *s = &p->served;
    return !p->begun || ((c->closes > 0 || c->freed) && (s->closes > 0 || s->freed || s->c == NULL));
}

/** One turn of everybody. Returns 0 when nothing happens any more. */
static int turn(void)
{
    struct pollfd wanted[2 + PAIRS];
    int timeout = -1;
    for (int i = 0; i < PAIRS; i++) {
        end *c = &pairs[i].client;
        if (c->c != NULL || c->freed)
            end_step(c);
        if (pairs[i].served.c != NULL)
            end_step(&pairs[i].served);
        int by_fd = c->c != NULL && c->face == FACE_FD && !end_ended(c);
        wanted[2 + i] = (struct pollfd){ by_fd ? c->fd : -1, by_fd ? (short)tlsmem_interest(c->c) : 0, 0 };
    }
    for (int i = 0; i < 2; i++) {
        int most = tlsmem_loop_timeout(loops[i]);
        wanted[i] = (struct pollfd){ tlsmem_loop_fd(loops[i]), POLLIN, 0 };
        timeout = timeout < 0 || (most >= 0 && most < timeout) ? most : timeout;
    }
    while (poll(wanted, 2 + PAIRS, timeout < 0 || timeout > sweep_patience_ms ? sweep_patience_ms : timeout) == 0 && timeout != 0) {
        if (sweep_others_work())
            continue;
        if (timeout < 0)
            return 0;
        sweep_leap(timeout < LEAP_MOST_MS ? timeout : LEAP_MOST_MS);
        break;
    }
    for (int i = 0; i < 2; i++) {
        int handled = tlsmem_loop_run_once(loops[i], 0);
        CHECK(handled >= 0, "tlsmem_loop_run_once: %s", tlsmem_status_name(handled));
    }
    for (int i = 0; i < PAIRS; i++)
        if (pairs[i].client.c != NULL && pairs[i].client.face == FACE_FD)
            end_drive(&pairs[i].client);
    return 1;
}

void sweep_run(void (*each_turn)(void))
{
    int turns = 0, all_done = 0;
    for (; !all_done && turns < TURNS_MOST && turn(); turns++) {
        if (each_turn != NULL)
            each_turn();
        all_done = 1;
        for (int i = 0; i < PAIRS; i++)
            all_done &= is_done(&pairs[i]);
    }
    CHECK(turns < TURNS_MOST, "it does not end");
    for (int i = 0; i < PAIRS; i++) {
        const end *c = &pairs[i].client, *s = &pairs[i].served;
        CHECK(is_done(&pairs[i]), "stalled: client %d sent %llu, received %llu; its server %llu, %llu", i,
              (unsigned long long)c->sent, (unsigned long long)c->received, (unsigned long long)s->sent,
              (unsigned long long)s->received);
    }
}

/* ---- judging */

/** Whether it came to its end as without a fault. */
static int is_whole(const pair *p)
{
    const end *c = &p->client, *s = &p->served;
    return c->closes == 1 && s->closes == 1 && c->report.status == TLSMEM_OK && s->report.status == TLSMEM_OK
           && c->received == c->to_receive && s->received == c->to_send;
}

void sweep_judge(void)
{
    int hurt = 0;
    for (int i = 0; i < PAIRS; i++) {
        const end *c = &pairs[i].client, *s = &pairs[i].served;
        if (!pairs[i].begun)
            continue;
        hurt += !is_whole(&pairs[i]);
        CHECK(c->closes == 1, "client %d had %d on_close", i, c->closes);
        CHECK(s->closes == 1 || (s->closes == 0 && s->sent == 0), "what serves client %d had %d on_close", i, s->closes);
        CHECK(c->wrong == 0 && s->wrong == 0, "%d and %d wrong bytes or callbacks", c->wrong, s->wrong);
        CHECK(c->received <= s->sent && s->received <= c->sent, "more was received than sent");
        CHECK(c->closes == 0 || sweep_excuses(c->report.status), "client %d ended with %s", i,
              tlsmem_status_name(c->report.status));
        CHECK(s->closes == 0 || sweep_excuses(s->report.status), "what serves client %d ended with %s", i,
              tlsmem_status_name(s->report.status));
    }
    CHECK(hurt == 0 || !sweep_is_clean(), "%d pairs did not come to their end", hurt);
    CHECK(hurt <= 1 || sweep_lasts(), "%d pairs have suffered", hurt);
}

void sweep_close(void)
{
    for (int i = 0; i < PAIRS; i++) {
        tlsmem_listener_free(pairs[i].listener);
        end_finish(&pairs[i].client);
        end_finish(&pairs[i].served);
    }
    for (int i = 0; i < 2; i++) {
        tlsmem_loop_free(loops[i]);
        loops[i] = NULL;
    }
}
