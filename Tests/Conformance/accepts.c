/*
 * What may be done inside on_accept: every action on the connection that has just come, on its loop and its listener.
 * Over TCP, with the client in the same loop.
 */
#define _GNU_SOURCE
#include "actions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

enum { REFUSE = ACTIONS, FREE_LISTENER, FREE_LISTENER_AND_REFUSE, ACCEPT_ACTIONS, BYTES = 20000 };
static const char *const more_names[] = { "refuse", "free the listener", "free the listener and refuse" };

static world w;
static tlsmem_listener *listener;
static int what, taken_fd;

static int on_accept(tlsmem_listener *from, tlsmem_accepted *accepted, void *user)
{
    end *s = &w.subject;
    CHECK(user == &w && from == listener, "another listener or user pointer");
    end_adopt(s, accepted->connection, 1);
    s->to_send = BYTES;
    s->close_on_eof = 1;
    accepted->callbacks = &end_callbacks;
    accepted->user = s;
    w.acted++;
    if (what == ACT_TAKE_FD) {
        taken_fd = tlsmem_take_fd(s->c);
        CHECK(taken_fd == accepted->fd, "took %d instead of %d", taken_fd, accepted->fd);
    } else if (what == ACT_REMOVE) {
        CHECK_STATUS(tlsmem_loop_remove(w.loop, s->c), TLSMEM_ESTATE);
    } else if (what == ACT_DRIVE) {
        CHECK_STATUS(tlsmem_loop_run_once(w.loop, 0), TLSMEM_ESTATE);
    } else if (what < ACTIONS) {
        w.acted = 0; /* act counts */
        act(&w);
    }
    if (what == FREE_LISTENER || what == FREE_LISTENER_AND_REFUSE) {
        tlsmem_listener_free(listener);
        listener = NULL;
    }
    if (what == REFUSE || what == FREE_LISTENER_AND_REFUSE) {
        s->freed = 1; /* by the library, without a callback */
        return 1;
    }
    return 0;
}

static void open_client(end *e)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)tlsmem_listener_port(listener)) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS));
    end_adopt(e, NULL, 0);
    e->c = connection(w.peer_ctx, &end_callbacks, e);
    e->face = FACE_REGISTRY;
    e->loop = w.loop;
    e->fd = fd;
    e->close_on_eof = 1;
    e->to_send = BYTES;
    MUST(tlsmem_loop_add(w.loop, e->c, fd) == TLSMEM_OK);
}

/** Whether the client and the subject have ended, the subject as far as it can. */
static int over(void)
{
    int subject_over = end_ended(&w.subject) || what == ACT_TAKE_FD;
    return w.acted > 0 && subject_over && end_ended(&w.peer);
}

/** One turn of the loop and of both programs. Returns 0 when nothing happens any more. */
static int turn(void)
{
    end *s = &w.subject, *p = &w.peer;
    if (tlsmem_loop_run_once(w.loop, end_ended(p) ? 0 : 10000) == 0)
        return 0;
    if (taken_fd >= 0) {
        close(taken_fd); /* the program keeps the fd that it took; here it just hangs up */
        taken_fd = -1;
    }
    if (w.acted > 0 && !end_ended(s) && what != ACT_TAKE_FD)
        end_step(s);
    end_step(p);
    if (w.paused && p->received == BYTES) {
        w.paused = 0;
        CHECK(s->received == 0, "on_data while paused");
        CHECK_STATUS(tlsmem_resume(s->c), TLSMEM_OK);
    }
    if (p->received >= BYTES && !p->close_called && !end_ended(p)) {
        p->close_called = 1;
        tlsmem_close(p->c);
    }
    return 1;
}

static void judge(void)
{
    const end *s = &w.subject, *p = &w.peer;
    int cut = what == ACT_CLOSE || what == ACT_ABORT || what == ACT_FREE || what == ACT_TAKE_FD || what == REFUSE
              || what == FREE_LISTENER_AND_REFUSE;
    CHECK(w.acted > 0, "on_accept never came");
    CHECK(s->wrong == 0 && p->wrong == 0, "%d wrong bytes or callbacks, %d at the client", s->wrong, p->wrong);
    CHECK(p->closes == 1, "the client had %d on_close", p->closes);
    CHECK(s->freed || what == ACT_TAKE_FD || s->closes == 1, "on_close %d times", s->closes);
    if (cut) {
        CHECK(what != ACT_ABORT && what != ACT_CLOSE ? 1 : s->report.status == TLSMEM_EABORTED, "ended with %s",
              tlsmem_status_name(s->report.status));
        CHECK(p->report.status == TLSMEM_EHANDSHAKEEOF || p->report.status == TLSMEM_ERESET, "the client ended with %s",
              tlsmem_status_name(p->report.status));
    } else {
        CHECK(s->report.status == TLSMEM_OK && p->report.status == TLSMEM_OK, "ended with %s, the client with %s",
              tlsmem_status_name(s->report.status), tlsmem_status_name(p->report.status));
        CHECK(s->received == p->sent && p->received == s->sent && (s->sent >= BYTES || what == ACT_CLOSE_WRITE),
              "sent %llu and %llu, received %llu and %llu", (unsigned long long)s->sent, (unsigned long long)p->sent,
              (unsigned long long)p->received, (unsigned long long)s->received);
    }
}

static void run(void)
{
    int descriptors = open_descriptors();
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    situation("%s in on_accept", what < ACTIONS ? action_names[what] : more_names[what - ACTIONS]);
    w.loop = new_loop();
    w.face = FACE_REGISTRY;
    w.act = (action)what;
    w.acted = w.has_added = w.paused = w.ended_by_us = 0;
    w.subject_ctx = context(TLSMEM_SERVER, 0);
    w.peer_ctx = context(TLSMEM_CLIENT, 0);
    memset(&w.subject, 0, sizeof w.subject);
    taken_fd = -1;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    options.user = &w;
    MUST(tlsmem_loop_listen(w.loop, w.subject_ctx, &options, &listener) == TLSMEM_OK);
    world_pair(&w, &w.other, &w.other_peer, &w.other_wire, 1);
    open_client(&w.peer);
    for (int turns = 0; turns < 10000 && !over() && turn(); turns++)
        ;
    judge();
    if (w.has_added) {
        wire_settle(&w.added_wire);
        CHECK(w.added.established && w.added.received == 1000, "what was added received %llu",
              (unsigned long long)w.added.received);
        end_finish(&w.added);
        end_finish(&w.added_peer);
    }
    if (w.acted > 0)
        end_finish(&w.subject);
    end_finish(&w.peer);
    end_finish(&w.other);
    end_finish(&w.other_peer);
    tlsmem_listener_free(listener);
    listener = NULL;
    tlsmem_loop_free(w.loop);
    tlsmem_ctx_free(w.subject_ctx);
    tlsmem_ctx_free(w.peer_ctx);
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

void accepts(void)
{
    for (what = 0; what < ACCEPT_ACTIONS; what++)
        run();
}
