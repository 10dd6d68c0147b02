/* What a program may do while it connects: from outside, in every stage, and inside on_attempt. */
#define _GNU_SOURCE
#include "connects.h"

#include <errno.h>
#include <unistd.h>

static attempt a, another;

/* ---- ended meanwhile */

typedef enum stage { ASKED, RESOLVING, ATTEMPTING, STAGES } stage;
static const char *const stage_names[STAGES] = { "just asked for", "while the resolver works", "while nobody answers" };

typedef enum way { CLOSE, CLOSE_WRITTEN, ABORT, FREE, REMOVE, TICK, FREE_LOOP, WAYS } way;
static const char *const way_names[WAYS] = {
    "closed", "closed with writes waiting", "aborted", "freed", "taken out of the loop", "too late", "its loop freed"
};

static silent mute;

static void bring(stage where)
{
    resolver_answers(NULL, "127.0.0.2"); /* where the mute one is */
    resolver_hold(AF_UNSPEC);
    attempt_open(&a, SCRIPTED, live_port);
    MUST(tlsmem_set_server_name(a.e.c, "localhost") == TLSMEM_OK);
    attempt_begin(&a, loop);
    if (where == ASKED)
        return;
    resolver_wait_for(2);
    CHECK(tlsmem_loop_run_once(loop, 0) > 0, "nothing began");
    if (where == RESOLVING)
        return;
    resolver_release();
    wait_for_threads();
    for (int i = 0; i < 20; i++)
        tlsmem_loop_run_once(loop, 0);
}

static void end_it(way how)
{
    int64_t deadline = tlsmem_deadline(a.e.c);
    CHECK(deadline > tlsmem_now() && deadline <= tlsmem_now() + 10000, "its deadline is %lld", (long long)deadline);
    CHECK(tlsmem_loop_timeout(loop) >= 0 && tlsmem_loop_timeout(loop) <= 10000, "the loop's timeout is %d",
          tlsmem_loop_timeout(loop));
    switch (how) {
    case CLOSE:
        CHECK_STATUS(tlsmem_close(a.e.c), TLSMEM_OK);
        attempt_failed(&a, TLSMEM_EABORTED, 0, "abort", "");
        break;
    case CLOSE_WRITTEN:
        CHECK_STATUS(tlsmem_write(a.e.c, "x", 1), 1);
        CHECK_STATUS(tlsmem_close(a.e.c), TLSMEM_OK);
        CHECK(a.e.closes == 0 && state_of(a.e.c) == TLSMEM_STATE_CLOSING, "what was written is forgotten");
        CHECK(tlsmem_deadline(a.e.c) <= tlsmem_now() + 5000, "close_ms does not hold");
        CHECK_STATUS(tlsmem_tick(a.e.c, tlsmem_now() + 5001), TLSMEM_ETIMEOUT);
        attempt_failed(&a, TLSMEM_ETIMEOUT, 0, "close_ms", "");
        break;
    case ABORT:
        CHECK_STATUS(tlsmem_abort(a.e.c), TLSMEM_OK);
        attempt_failed(&a, TLSMEM_EABORTED, 0, "abort", "");
        break;
    case FREE:
        end_free_connection(&a.e);
        break;
    case REMOVE:
        CHECK_STATUS(tlsmem_loop_remove(loop, a.e.c), TLSMEM_OK);
        CHECK(a.e.closes == 0 && state_of(a.e.c) == TLSMEM_STATE_NEW && tlsmem_deadline(a.e.c) == -1, "it is not as new");
        break;
    case TICK:
        CHECK_STATUS(tlsmem_tick(a.e.c, deadline - 1), TLSMEM_OK);
        CHECK_STATUS(tlsmem_tick(a.e.c, deadline), TLSMEM_ETIMEOUT);
        break;
    case FREE_LOOP:
        tlsmem_loop_free(loop);
        attempt_failed(&a, TLSMEM_EABORTED, 0, "abort", "");
        break;
    case WAYS:
        break;
    }
    CHECK(a.attempts == 0, "%d attempts were told of", a.attempts);
}

static void ended_meanwhile(stage where, way how)
{
    situation("%s, %s", way_names[how], stage_names[where]);
    open_stage();
    mute = keep_silent("127.0.0.2", live_port);
    bring(where);
    end_it(how);
    if (how == TICK && where == ATTEMPTING)
        attempt_failed(&a, TLSMEM_ETIMEOUT, 0, "connect_ms: 127.0.0.2:", "no answer");
    else if (how == TICK)
        attempt_failed(&a, TLSMEM_ETIMEOUT, 0, "connect_ms: " SCRIPTED, "has not answered");
    resolver_release();
    wait_for_threads();
    if (how == REMOVE) { /* and once more, to somebody else */
        a.options.host = "127.0.0.1";
        attempt_begin(&a, loop);
        attempt_converses(&a, loop);
    }
    if (how == FREE_LOOP) {
        close(live);
        loop = tlsmem_loop_new();
        live_port = 0;
        live = serve(loop, "127.0.0.1", &live_port);
    }
    CHECK(how == REMOVE || tlsmem_loop_timeout(loop) <= 0, "the loop still waits for %d ms", tlsmem_loop_timeout(loop));
    attempt_finish(&a);
    speak_again(&mute);
    close_stage();
}

/** Nothing else is in the loop, not even a deadline. */
static void loop_freed_without_a_deadline(void)
{
    situation("its loop freed, while the resolver works, without a deadline");
    int before = open_descriptors();
    loop = tlsmem_loop_new();
    resolver_hold(AF_UNSPEC);
    attempt_open(&a, SCRIPTED, 443);
    a.options.connect_ms = 0;
    attempt_begin(&a, loop);
    while (tlsmem_loop_run_once(loop, 0) > 0)
        ;
    tlsmem_loop_free(loop);
    attempt_failed(&a, TLSMEM_EABORTED, 0, "abort", "");
    resolver_release();
    attempt_finish(&a);
    wait_for_threads();
    CHECK(open_descriptors() == before, "%d descriptors, %d before", open_descriptors(), before);
}

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

/** What was written meanwhile is delivered, and then it closes. */
static void closes_after_connecting(void)
{
    situation("closed with writes waiting, it connects, delivers and closes");
    open_stage();
    resolver_answers(NULL, "127.0.0.1");
    attempt_open(&a, SCRIPTED, live_port);
    MUST(tlsmem_set_server_name(a.e.c, "localhost") == TLSMEM_OK);
    a.e.stream = 1; /* the echo is the pattern itself */
    attempt_begin(&a, loop);
    CHECK_STATUS(tlsmem_write(a.e.c, "x", 1), 1);
    CHECK_STATUS(tlsmem_close(a.e.c), TLSMEM_OK);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    CHECK_STATUS(a.e.report.status, TLSMEM_OK);
    CHECK(a.e.report.bytes_encrypted == 1 && a.e.report.close_notify_received, "the byte was not delivered");
    a.e.wrong = 0;
    attempt_finish(&a);
    close_stage();
}

/* ---- calls of other faces */

static void other_faces(void)
{
    const void *bytes;
    size_t n;
    situation("calls that do not fit");
    open_stage();
    attempt_open(&a, "127.0.0.1", live_port);
    attempt_begin(&a, loop);
    CHECK_STATUS(tlsmem_loop_connect(loop, a.e.c, &a.options), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_add(loop, a.e.c, live), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_set_fd(a.e.c, live), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_take_fd(a.e.c), -1);
    CHECK_STATUS(tlsmem_feed(a.e.c, "x", 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_feed_eof(a.e.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_outgoing_peek(a.e.c, &bytes, &n), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_outgoing_consume(a.e.c, 0), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_on_readable(a.e.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_on_writable(a.e.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_flush(a.e.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_handshake(a.e.c), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_read(a.e.c, &n, sizeof n), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_key_update(a.e.c, 0), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_renegotiate(a.e.c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_tick(a.e.c, tlsmem_now()), TLSMEM_OK);
    CHECK_STATUS(tlsmem_resume(a.e.c), TLSMEM_OK);
    CHECK_STATUS(state_of(a.e.c), TLSMEM_STATE_CONNECTING);
    attempt_converses(&a, loop);
    CHECK_STATUS(tlsmem_loop_connect(loop, a.e.c, &a.options), TLSMEM_ESTATE);
    attempt_finish(&a);
    attempt_open(&a, "127.0.0.1", live_port); /* one that was fed */
    CHECK_STATUS(tlsmem_feed(a.e.c, "x", 1), 1);
    CHECK_STATUS(tlsmem_loop_connect(loop, a.e.c, &a.options), TLSMEM_ESTATE);
    attempt_finish(&a);
    close_stage();
}

/* ---- inside on_attempt */

typedef enum action {
    NOTHING, WRITE, CLOSE_IN, ABORT_IN, FREE_IN, REMOVE_IN, REMOVE_AND_DRIVE, RECONNECT, CONNECT_IN, RUN, TAKE_FD, PAUSE,
    CONNECT_ANOTHER, ACTIONS
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

static void inside(void)
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
        for (int i = 0; i < 1000 && tlsmem_loop_run_once(loop, a.attempts > at_success ? 0 : 20000) > 0; i++)
            ;
        CHECK(what == FREE_IN ? a.e.freed : a.e.closes == 0 && state_of(a.e.c) != TLSMEM_STATE_CONNECTING, "it went on");
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

void meanwhile(void)
{
    for (int where = 0; where < STAGES; where++)
        for (int how = 0; how < WAYS; how++)
            ended_meanwhile((stage)where, (way)how);
    loop_freed_without_a_deadline();
    tries_no_more();
    closes_after_connecting();
    other_faces();
    for (at_success = 0; at_success < 2; at_success++)
        for (what = 0; what < ACTIONS; what++)
            inside();
}
