/* What a program may do inside on_attempt. */
#define _GNU_SOURCE
#include "connects.h"

#include <unistd.h>

static attempt a, another;

static void abort_it(attempt *at, int sys_errno)
{
    (void)sys_errno;
    CHECK_STATUS(tlsmem_abort(at->e.c), TLSMEM_OK);
}

static void tries_no_more(void)
{
    situation("aborted in on_attempt, it tries no other address");
    open_stage();
    resolver_answers(NULL, "224.0.0.1 224.0.0.2 127.0.0.1"); /* TCP refuses these at once */
    attempt_open(&a, SCRIPTED, live_port);
    a.in_attempt = abort_it;
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_EABORTED, 0, "abort", "");
    CHECK(a.attempts == 1, "%d attempts: %s", a.attempts, a.all);
    attempt_finish(&a);
    close_stage();
}

typedef enum action {
    NOTHING, WRITE, CLOSE_IN, ABORT_IN, FREE_IN, REMOVE_IN, REMOVE_AND_DRIVE, RECONNECT, CONNECT_IN, RUN, TAKE_FD,
    PAUSE, CONNECT_ANOTHER, ACTIONS
} action;
static const char *const action_names[ACTIONS] = {
    "nothing", "write", "close", "abort", "free", "remove from the loop", "remove from the loop and handshake",
    "remove and connect elsewhere", "connect", "run the loop", "take_fd", "pause and close_write", "connect another"
};
static action what;
static int at_success, taken_fd;

static void act(attempt *at, int sys_errno)
{
    if ((sys_errno == 0) != at_success || at->attempts != at_success + 1)
        return;
    tlsmem *c = at->e.c;
    switch (what) {
    case WRITE: CHECK_STATUS(tlsmem_write(c, "early", 5), 5); break;
    case CLOSE_IN: CHECK_STATUS(tlsmem_close(c), TLSMEM_OK); break;
    case ABORT_IN: CHECK_STATUS(tlsmem_abort(c), TLSMEM_OK); break;
    case FREE_IN: end_free_connection(&at->e); break;
    case REMOVE_IN: CHECK_STATUS(tlsmem_loop_remove(loop, c), TLSMEM_OK); break;
    case REMOVE_AND_DRIVE:
        CHECK_STATUS(tlsmem_loop_remove(loop, c), TLSMEM_OK);
        CHECK_STATUS(tlsmem_handshake(c), TLSMEM_AGAIN);
        break;
    case RECONNECT:
        CHECK_STATUS(tlsmem_loop_remove(loop, c), TLSMEM_OK);
        taken_fd = tlsmem_take_fd(c);
        at->options.host = "127.0.0.1";
        CHECK_STATUS(tlsmem_loop_connect(loop, c, &at->options), TLSMEM_OK);
        break;
    case CONNECT_IN: CHECK_STATUS(tlsmem_loop_connect(loop, c, &at->options), TLSMEM_ESTATE); break;
    case RUN: CHECK_STATUS(tlsmem_loop_run_once(loop, 0), TLSMEM_ESTATE); break;
    case TAKE_FD:
        taken_fd = tlsmem_take_fd(c);
        CHECK(at_success == (taken_fd >= 0), "it gave %d", taken_fd);
        break;
    case PAUSE:
        CHECK_STATUS(tlsmem_pause(c), TLSMEM_OK);
        CHECK_STATUS(tlsmem_close_write(c), TLSMEM_OK);
        break;
    case CONNECT_ANOTHER:
        attempt_open(&another, "127.0.0.1", live_port);
        attempt_begin(&another, loop);
        break;
    case NOTHING: case ACTIONS: break;
    }
    CHECK(at->e.closes == 0, "on_close inside on_attempt");
}

static void in_attempt(void)
{
    situation("%s in on_attempt of one that %s", action_names[what], at_success ? "connected" : "failed");
    open_stage();
    resolver_answers(NULL, "127.0.0.3 127.0.0.1"); /* at the first of them nobody listens */
    attempt_open(&a, SCRIPTED, live_port);
    MUST(tlsmem_set_server_name(a.e.c, "localhost") == TLSMEM_OK);
    a.in_attempt = act;
    taken_fd = -1;
    attempt_begin(&a, loop);
    int aborts = what == CLOSE_IN || what == ABORT_IN;
    int leaves = what == REMOVE_IN || what == REMOVE_AND_DRIVE || (what == TAKE_FD && at_success);
    if (what == FREE_IN || leaves) {
        /* The loop has nobody left but the server, whose client may go on without it. */
        while (a.attempts <= at_success)
            MUST(turn(loop) > 0);
        while (tlsmem_loop_run_once(loop, 0) > 0)
            ;
        CHECK(what == FREE_IN ? a.e.freed : a.e.closes == 0 && state_of(a.e.c) != TLSMEM_STATE_CONNECTING,
              "it went on");
        CHECK(a.attempts == at_success + 1, "%d attempts", a.attempts);
        CHECK(what == FREE_IN || (tlsmem_fd(a.e.c) >= 0) == (at_success && what != TAKE_FD), "its fd is %d",
              tlsmem_fd(a.e.c));
        if (what == REMOVE_AND_DRIVE)
            CHECK_STATUS(state_of(a.e.c), TLSMEM_STATE_HANDSHAKING);
    } else if (aborts) {
        CHECK(turn_until(loop, ended, &a), "nothing happens any more");
        attempt_failed(&a, TLSMEM_EABORTED, 0, "abort", "");
        CHECK(a.attempts == at_success + 1, "%d attempts", a.attempts);
    } else {
        CHECK(turn_until(loop, established, &a) && a.e.established == 1, "no handshake");
        CHECK_STATUS(a.attempts, what == RECONNECT && at_success ? 3 : 2);
    }
    if (what == CONNECT_ANOTHER) {
        attempt_converses(&another, loop);
        attempt_finish(&another);
    }
    attempt_finish(&a);
    if (taken_fd >= 0)
        close(taken_fd);
    close_stage();
}

void inside(void)
{
    tries_no_more();
    for (at_success = 0; at_success < 2; at_success++)
        for (what = 0; what < ACTIONS; what++)
            in_attempt();
}
