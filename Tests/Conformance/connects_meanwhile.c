/* What a program may do while it connects, in every stage. */
#define _GNU_SOURCE
#include "connects.h"

#include <errno.h>
#include <unistd.h>

static attempt a;

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
        CHECK(a.e.closes == 0 && state_of(a.e.c) == TLSMEM_STATE_NEW && tlsmem_deadline(a.e.c) == -1,
              "it is not as new");
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

void meanwhile(void)
{
    for (int where = 0; where < STAGES; where++)
        for (int how = 0; how < WAYS; how++)
            ended_meanwhile((stage)where, (way)how);
    loop_freed_without_a_deadline();
    closes_after_connecting();
    other_faces();
}
