/*
 * Signals that come all the time, with and without SA_RESTART, over every pair of faces and in a loop: nothing is lost, and
 * nothing spins. And SIGPIPE, which nobody handles.
 */
#define _GNU_SOURCE
#include "converse.h"
#include "pair.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static timer_t alarms;

static void count_signal(int number)
{
    (void)number;
    caught++;
}

/** From now on a signal comes each so many microseconds; with 0 none. */
static void signals_come(long every, int flags)
{
    struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec each = { { 0, every * 1000 }, { 0, every * 1000 } };
    caught = 0;
    MUST(sigaction(SIGUSR1, &action, NULL) == 0);
    if (every == 0) {
        timer_delete(alarms);
        return;
    }
    MUST(timer_create(CLOCK_MONOTONIC, &event, &alarms) == 0 && timer_settime(alarms, 0, &each, NULL) == 0);
}

static void under_signals(const scene *s)
{
    pair_establish(s);
    client.to_send = client.to_receive = server.to_send = server.to_receive = 2000000;
    client.close_when_done = server.close_when_done = 1;
    CHECK(wire_run(&pair_wire, both_ended), "it does not end");
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    pair_close();
}

static void over_tcp(void)
{
    tlsmem_ctx *client_ctx = context(TLSMEM_CLIENT, 0), *server_ctx = context(TLSMEM_SERVER, 0);
    situation("a listener, and a client that connects to it, while signals come");
    for (int i = 0; i < 10; i++)
        CHECK(converse(client_ctx, server_ctx, 2000000), "conversation %d did not go well", i);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

static int64_t fired;

static void on_timer(tlsmem_timer *timer, void *user)
{
    (void)timer, (void)user;
    fired = tlsmem_now();
}

static void idle(void)
{
    tlsmem_loop *loop = new_loop();
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    situation("a loop that waits while signals come");
    long before = caught;
    int64_t began = tlsmem_now();
    fired = 0;
    tlsmem_timer *timer = tlsmem_loop_timer(loop, 200, on_timer, NULL);
    while (fired == 0)
        MUST(tlsmem_loop_run_once(loop, -1) >= 0);
    tlsmem_timer_free(timer);
    CHECK(fired - began >= 200 && fired - began < 5000, "the timer fired after %lld ms", (long long)(fired - began));
    CHECK_STATUS(tlsmem_loop_stats(loop, &stats), TLSMEM_OK);
    CHECK(caught - before > 20, "only %ld signals came", (long)(caught - before));
    CHECK((long)stats.turns <= caught - before + 5, "%llu turns for %ld signals", (unsigned long long)stats.turns,
          (long)(caught - before));
    CHECK(stats.events == 1, "%llu events", (unsigned long long)stats.events);
    tlsmem_loop_free(loop);
}

/** The peer is gone: what is sent to it would end the process by SIGPIPE, were it not sent as it is. */
static void broken_pipe(const scene *s)
{
    if (s->client_face == FACE_BUFFERS || s->server_face != FACE_BUFFERS)
        return;
    pair_establish(s);
    signal(SIGPIPE, SIG_DFL);
    close(client.outer);
    client.outer = -1;
    client.to_send = 1000000;
    for (int turns = 0; turns < 100 && client.closes == 0; turns++) {
        end_step(&client);
        end_drive(&client);
    }
    CHECK(client.closes == 1 && client.report.status != TLSMEM_OK, "on_close %d times, with %s", client.closes,
          tlsmem_status_name(client.report.status));
    pair_close();
}

int main(void)
{
    static const int flags[] = { 0, SA_RESTART };
    begin("signals");
    for (int i = 0; i < 2; i++) {
        signals_come(200, flags[i]);
        every_pair(flags[i] ? "signals that restart calls" : "signals that do not restart calls", NULL, under_signals);
        CHECK(caught > 100, "only %ld signals came", (long)caught);
        over_tcp();
        idle();
        signals_come(0, 0);
    }
    every_pair("a peer that is gone, and SIGPIPE as it is", NULL, broken_pipe);
    return finish();
}
