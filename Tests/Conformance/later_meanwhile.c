/*
 * What may happen to a connection while it waits for an answer: its deadline passes, it is freed, aborted, closed, moved to
 * another loop, or its peer has said everything before.
 */
#define _GNU_SOURCE
#include "later.h"
#include "false_clock.h"

#include <pthread.h>
#include <signal.h>

/* ---- no answer */

static void never(const decision *d, int version, face f)
{
    situation("%s, version %x, %s: never answered", d->name, (unsigned)version, face_names[f]);
    later_open(d, version, f, f, CUT_WHOLE);
    later_wait(d);
    end *e = decider(d);
    int64_t rest = tlsmem_deadline(e->c) - tlsmem_now();
    false_clock_forward(rest - 1);
    if (f != FACE_REGISTRY)
        IGNORE(tlsmem_tick(e->c, tlsmem_now()) != 0);
    end_drive(e);
    CHECK(!end_ended(e), "it did not wait for its deadline");
    false_clock_forward(1);
    if (f != FACE_REGISTRY)
        IGNORE(tlsmem_tick(e->c, tlsmem_now()) != 0);
    end_drive(e);
    CHECK_ENDED(*e, TLSMEM_ETIMEOUT);
    check_nobody_waits();
    later_close();
}

static void *free_in_a_thread(void *c)
{
    tlsmem_free(c);
    return NULL;
}

static void freed(const decision *d, int version, face f, int in_a_thread)
{
    situation("%s, version %x, %s: freed%s while it waits", d->name, (unsigned)version, face_names[f], in_a_thread ? " in another thread" : "");
    later_open(d, version, f, f, CUT_WHOLE);
    later_wait(d);
    end *e = decider(d);
    if (in_a_thread) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, free_in_a_thread, e->c) == 0 && pthread_join(thread, NULL) == 0);
        e->freed = 1;
    } else {
        end_free_connection(e);
    }
    check_nobody_waits();
    later_close();
}

/** Answered, and freed before anybody has gone on with it. */
static void freed_with_its_answer(const decision *d, int version, face f)
{
    situation("%s, version %x, %s: freed when it has its answer", d->name, (unsigned)version, face_names[f]);
    later_open(d, version, f, f, CUT_WHOLE);
    later_wait(d);
    CHECK_STATUS(good_answer(), TLSMEM_OK);
    end_free_connection(decider(d));
    check_nobody_waits();
    wire_settle(&pair_wire);
    later_close();
}

/* ---- meanwhile */

static void aborted(const decision *d, int version, face f)
{
    situation("%s, version %x, %s: aborted while it waits", d->name, (unsigned)version, face_names[f]);
    later_open(d, version, f, f, CUT_WHOLE);
    later_wait(d);
    CHECK_STATUS(tlsmem_abort(last.c), TLSMEM_OK);
    CHECK_ENDED(*decider(d), TLSMEM_EABORTED);
    check_nobody_waits();
    later_close();
}

/** What was written is still sent, once the answer is there. */
static void closed(const decision *d, int version, face f, cut_kind how)
{
    situation("%s, version %x, %s, %s: closed while it waits", d->name, (unsigned)version, face_names[f], cut_names[how]);
    later_open(d, version, f, f, how);
    end *e = decider(d), *peer = e == &client ? &server : &client;
    peer->to_send = e->to_receive = 0;
    client.close_when_done = 0;
    peer->close_on_eof = 1;
    later_wait(d);
    CHECK(e->sent == e->to_send, "%llu bytes were taken", (unsigned long long)e->sent);
    CHECK_STATUS(tlsmem_close(e->c), TLSMEM_OK);
    CHECK(!end_ended(e), "it ended without its bytes");
    answer(TLSMEM_OK);
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(*e, TLSMEM_OK);
    CHECK(peer->received == e->sent, "%llu of %llu bytes came", (unsigned long long)peer->received, (unsigned long long)e->sent);
    later_close();
}

/** The other side has sent everything, with FIN, before the answer is there: nothing of it is lost. */
static void all_has_come(const decision *d, int version, face f)
{
    situation("%s, version %x, %s: everything has come before the answer", d->name, (unsigned)version, face_names[f]);
    later_open(d, version, f, f, CUT_WHOLE);
    end *e = decider(d), *peer = e == &client ? &server : &client;
    e->to_send = peer->to_receive = 0;
    peer->close_when_done = 1;
    client.close_when_done = peer == &client;
    e->close_on_eof = 1;
    later_wait(d);
    if (!peer->established) { /* it cannot send yet */
        later_close();
        return;
    }
    peer->after_write = NULL;
    end_give_eof(e);
    CHECK(!end_ended(e), "FIN ended it");
    answer(TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(e->received > 0 && e->established, "%llu bytes came", (unsigned long long)e->received);
    later_close();
}

static volatile sig_atomic_t heard;

static void hear(int number)
{
    (void)number;
    heard++;
}

static void *go_on_unheard(void *c)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    MUST(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0 && pthread_kill(pthread_self(), SIGUSR1) == 0);
    IGNORE(tlsmem_handshake(c));
    CHECK(heard == 0, "a signal came to a thread that has blocked it");
    MUST(pthread_sigmask(SIG_UNBLOCK, &blocked, NULL) == 0);
    CHECK(heard == 1, "the signal was lost");
    return NULL;
}

/** A thread that has blocked a signal goes on with what one that has not began. */
static void signals(const decision *d, int version, face f)
{
    situation("%s, version %x, %s: gone on with in a thread that blocks a signal", d->name, (unsigned)version, face_names[f]);
    struct sigaction action = { .sa_handler = hear }, before;
    pthread_t thread;
    later_open(d, version, f, f, CUT_WHOLE);
    later_wait(d);
    heard = 0;
    MUST(sigaction(SIGUSR1, &action, &before) == 0);
    CHECK_STATUS(good_answer(), TLSMEM_OK);
    MUST(pthread_create(&thread, NULL, go_on_unheard, last.c) == 0 && pthread_join(thread, NULL) == 0);
    check_whole(d);
    later_close();
    MUST(sigaction(SIGUSR1, &before, NULL) == 0);
}

static void moved(const decision *d, int version, int answered_before)
{
    situation("%s, version %x: moved to another loop while it waits, answered %s", d->name, (unsigned)version,
              answered_before ? "before" : "after");
    later_open(d, version, FACE_REGISTRY, FACE_REGISTRY, CUT_WHOLE);
    later_wait(d);
    end *e = decider(d);
    tlsmem_loop *other = new_loop(), *own = e->loop;
    MUST(other != NULL);
    if (answered_before)
        CHECK_STATUS(good_answer(), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_move(other, e->c), TLSMEM_OK);
    e->loop = other;
    IGNORE(tlsmem_loop_run_once(own, 0) < 0);
    if (!answered_before)
        CHECK_STATUS(good_answer(), TLSMEM_OK);
    check_whole(d);
    later_close();
    tlsmem_loop_free(other);
}

void later_meanwhile(const decision *d, int version)
{
    static const face faces[] = { FACE_BUFFERS, FACE_FD, FACE_REGISTRY };
    for (int i = 0; i < 3; i++) {
        face f = faces[i];
        if (skips(d, i))
            continue;
        for (int how = 0; how < (short_run() ? 1 : 3); how++)
            closed(d, version, f, (cut_kind)how);
        never(d, version, f);
        freed(d, version, f, 0);
        if (f != FACE_REGISTRY)
            freed(d, version, f, 1);
        freed_with_its_answer(d, version, f);
        aborted(d, version, f);
        all_has_come(d, version, f);
        if (f != FACE_REGISTRY)
            signals(d, version, f);
    }
    moved(d, version, 0);
    moved(d, version, 1);
}
