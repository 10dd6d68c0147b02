/*
 * Every callback times every action times every face, for a client and for a server: no crash, no callback after the
 * free, one on_close, no descriptor lost, and the peer ends in a documented way. Meant to be run under valgrind and
 * AddressSanitizer too. What may be done inside on_accept is in accepts.c.
 */
#define _GNU_SOURCE
#include "actions.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/** Where the action happens: the callbacks of a connection, then those of a loop. */
enum { AT_TIMER = EVENTS, AT_WATCH, AT_POST, MOMENTS };
static const char *const moment_names[MOMENTS] = {
    "on_established", "on_data", "on_drain", "on_eof", "on_close", "a timer", "a watch", "a post"
};

static world w;
static int moment;
static int watched[2];
static tlsmem_ctx *contexts[2]; /* of clients and of servers */

static void on_timer(tlsmem_timer *timer, void *user)
{
    act(user);
    tlsmem_timer_free(timer); /* in its own callback */
}

static void on_watch(tlsmem_loop *loop, int fd, int events, void *user)
{
    char byte;
    CHECK(loop == w.loop && fd == watched[0] && events == POLLIN, "fd %d, events %d", fd, events);
    CHECK(read(fd, &byte, 1) == 1, "not readable");
    act(user);
    CHECK_STATUS(tlsmem_loop_watch(loop, fd, 0, NULL, NULL), TLSMEM_OK); /* in its own callback */
}

static void on_post(void *arg)
{
    act(arg);
}

/** The subject's hook: acts, or has the loop call back as soon as the stream is under way. */
static void at_moment(end *e, event what)
{
    (void)e;
    if (moment < EVENTS) {
        if ((int)what == moment)
            act(&w);
        return;
    }
    if (what != EVENT_ESTABLISHED)
        return;
    if (moment == AT_TIMER)
        CHECK(tlsmem_loop_timer(w.loop, 0, on_timer, &w) != NULL, "no timer");
    else if (moment == AT_POST)
        CHECK_STATUS(tlsmem_loop_post(w.loop, on_post, &w), TLSMEM_OK);
    else
        CHECK(write(watched[1], "x", 1) == 1, "write to a pipe");
}

/** Turns everything until nothing moves any more. */
static void settle(void)
{
    for (int idle = 0; idle < 16;) {
        int moved = wire_turn(&w.subject_wire) + wire_turn(&w.other_wire);
        if (w.has_added)
            moved += wire_turn(&w.added_wire);
        idle = moved > 0 ? 0 : idle + 1;
    }
}

static void close_if_open(end *e)
{
    if (!end_ended(e) && !e->close_called) {
        e->close_called = 1;
        tlsmem_close(e->c);
    }
}

static void judge_subject(void)
{
    const end *s = &w.subject, *p = &w.peer;
    int cut = w.act == ACT_ABORT || w.act == ACT_FREE;
    CHECK(w.acted > 0, "the callback never came");
    CHECK(s->wrong == 0 && p->wrong == 0, "%d wrong bytes or callbacks, %d at the peer", s->wrong, p->wrong);
    CHECK(s->freed || s->closes == 1, "on_close %d times; state %d", s->closes, s->freed ? -1 : (int)state_of(s->c));
    CHECK(p->closes == 1, "the peer had %d on_close", p->closes);
    if (!cut || moment == EVENT_CLOSE) {
        CHECK(s->report.status == TLSMEM_OK && p->report.status == TLSMEM_OK, "ended with %s, the peer with %s",
              tlsmem_status_name(s->report.status), tlsmem_status_name(p->report.status));
        CHECK(p->received == s->sent && s->received == p->sent, "sent %llu and %llu, received %llu and %llu",
              (unsigned long long)s->sent, (unsigned long long)p->sent, (unsigned long long)p->received,
              (unsigned long long)s->received);
        CHECK(w.ended_by_us || (s->sent == s->to_send && p->sent == p->to_send), "not everything was sent");
        return;
    }
    CHECK(w.act == ACT_FREE || s->report.status == TLSMEM_EABORTED, "ended with %s",
          tlsmem_status_name(s->report.status));
    CHECK(p->report.status == TLSMEM_ETRUNCATED || p->report.status == TLSMEM_EHANDSHAKEEOF
          || (p->report.status == TLSMEM_OK && p->close_called), "the peer ended with %s",
          tlsmem_status_name(p->report.status));
    CHECK(p->received <= s->sent && s->received <= p->sent, "more was received than sent");
}

static void judge_bystanders(void)
{
    CHECK(w.other.wrong == 0 && w.other_peer.wrong == 0, "wrong bytes or callbacks beside it");
    CHECK(w.other_peer.closes == 1, "the other's peer had %d on_close", w.other_peer.closes);
    if (!w.other.freed) {
        CHECK(w.other.closes == 1 && w.other.report.status == TLSMEM_OK, "the other ended with %s",
              tlsmem_status_name(w.other.report.status));
        CHECK(w.other.received == w.other_peer.sent && w.other_peer.received == w.other.sent, "the other lost bytes");
    }
    if (w.has_added) {
        CHECK(w.added.wrong == 0 && w.added_peer.wrong == 0, "wrong bytes or callbacks in what was added");
        CHECK(w.added.closes == 1 && w.added.report.status == TLSMEM_OK && w.added.received == 1000
              && w.added_peer.received == 1000, "what was added ended with %s, received %llu",
              tlsmem_status_name(w.added.report.status), (unsigned long long)w.added.received);
    }
}

static void open_world(face face, tlsmem_role role, action what)
{
    w.face = face;
    w.act = what;
    w.acted = w.has_added = w.ended_by_us = w.paused = 0;
    w.loop = face == FACE_REGISTRY ? new_loop() : NULL;
    w.subject_ctx = contexts[role == TLSMEM_SERVER];
    w.peer_ctx = contexts[role == TLSMEM_CLIENT];
    MUST(pipe2(watched, O_CLOEXEC | O_NONBLOCK) == 0);
    if (moment == AT_WATCH)
        MUST(tlsmem_loop_watch(w.loop, watched[0], POLLIN, on_watch, &w) == TLSMEM_OK);
    world_pair(&w, &w.other, &w.other_peer, &w.other_wire, 1);
    world_pair(&w, &w.subject, &w.peer, &w.subject_wire, 2);
    w.subject.hook = at_moment;
    w.subject.to_send = 100000;
    w.peer.to_send = 80000;
    w.other.to_send = w.other_peer.to_send = 30000;
}

static void close_world(void)
{
    end *all[] = { &w.subject, &w.peer, &w.other, &w.other_peer, &w.added, &w.added_peer };
    for (int i = 0; i < (w.has_added ? 6 : 4); i++)
        end_finish(all[i]);
    tlsmem_loop_free(w.loop);
    close(watched[0]);
    close(watched[1]);
}

static void run(face face, tlsmem_role role, action what)
{
    int descriptors = open_descriptors();
    situation("%s in %s of a %s, %s face", action_names[what], moment_names[moment],
              role == TLSMEM_CLIENT ? "client" : "server", face_names[face]);
    open_world(face, role, what);
    settle();
    if (w.paused) {
        CHECK(w.subject.received == w.received_at_pause, "on_data while paused");
        if (!end_ended(&w.subject))
            CHECK_STATUS(tlsmem_resume(w.subject.c), TLSMEM_OK);
        settle();
        w.paused = 0;
    }
    close_if_open(&w.peer);
    close_if_open(&w.other_peer);
    if (w.has_added)
        close_if_open(&w.added_peer);
    settle();
    if (w.paused && !end_ended(&w.subject)) { /* the pause came with on_eof */
        CHECK_STATUS(tlsmem_resume(w.subject.c), TLSMEM_OK);
        settle();
    }
    if (w.has_added) {
        close_if_open(&w.added_peer); /* what was added in on_close has only begun */
        settle();
    }
    judge_subject();
    judge_bystanders();
    close_world();
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

static void on_room(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop;
    CHECK(fd == watched[0] && events == POLLOUT, "fd %d, events %d", fd, events);
    ++*(int *)user;
}

/** Another callback, for other events: it was only ever watched and ended. */
static void watched_anew(void)
{
    int before = 0, calls = 0;
    situation("an fd that is watched for something else");
    tlsmem_loop *loop = new_loop();
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, watched) == 0);
    CHECK_STATUS(tlsmem_loop_watch(loop, watched[0], POLLIN, on_room, &before), TLSMEM_OK);
    MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    CHECK_STATUS(tlsmem_loop_watch(loop, watched[0], POLLOUT, on_room, &calls), TLSMEM_OK);
    MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    CHECK(before == 0 && calls == 1, "%d calls, and %d of the one before", calls, before);
    CHECK_STATUS(tlsmem_loop_watch(loop, watched[0], 0, NULL, NULL), TLSMEM_OK);
    MUST(tlsmem_loop_run_once(loop, 0) >= 0);
    CHECK(calls == 1, "%d calls, and the last of them after its end", calls);
    tlsmem_loop_free(loop);
    close(watched[0]);
    close(watched[1]);
}

void accepts(void);

int main(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    begin("callbacks");
    limits.outgoing_max = 32768; /* so that on_drain comes */
    limits.outgoing_low = 8192;
    contexts[0] = context_limited(TLSMEM_CLIENT, 0, &limits);
    contexts[1] = context_limited(TLSMEM_SERVER, 0, &limits);
    for (int act = 0; act < ACTIONS; act++)
        for (int role = TLSMEM_CLIENT; role <= TLSMEM_SERVER; role++)
            for (moment = 0; moment < MOMENTS; moment++)
                for (int face = FACE_BUFFERS; face <= FACE_REGISTRY; face++)
                    if ((moment < EVENTS || face == FACE_REGISTRY) && (!short_run() || (act + face + role) % 2 == 0))
                        run(face, role, act);
    tlsmem_ctx_free(contexts[0]);
    tlsmem_ctx_free(contexts[1]);
    accepts();
    watched_anew();
    return finish();
}
