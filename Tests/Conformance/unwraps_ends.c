/*
 * tlsmem_unwrap where it does not come to a clean end, and in every callback; and whose the fd is afterwards.
 */
#define _GNU_SOURCE
#include "unwraps.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/** Asks in one callback, and notes the answer. */
static event ask_in;
static int answer;

static void ask(end *e, event what)
{
    if (what == ask_in && answer > 0)
        answer = tlsmem_unwrap(e->c);
}

static void unwrap_on_eof(end *e, event what)
{
    if (what == EVENT_EOF)
        CHECK_STATUS(tlsmem_unwrap(e->c), TLSMEM_OK);
}

static void in_callbacks(setting_up *how)
{
    static const char *const names[EVENTS] = { "in on_established", "in on_data", "in on_drain", "in on_eof", "in on_close" };
    for (ask_in = 0; ask_in < EVENTS; ask_in++) {
        how->name = names[ask_in];
        how->unbegun = 1;
        unwrap_open(how);
        answer = 1;
        subject->hook = ask;
        subject->to_send = ask_in == EVENT_DRAIN ? 1200000 : 10;
        peer->to_send = 10;
        peer->close_when_done = ask_in >= EVENT_EOF;
        peer->hook = peer->close_when_done ? NULL : unwrap_on_eof;
        peer->to_receive = 10;
        for (int turn = 0; turn < 20 && !end_ended(subject); turn++) {
            end_step(subject);
            end_step(peer);
            carry();
        }
        if (ask_in == EVENT_CLOSE) {
            CHECK(answer > 0, "on_close without an end");
            CHECK_STATUS(tlsmem_abort(subject->c), TLSMEM_OK);
            CHECK_STATUS(answer, TLSMEM_ESTATE);
        } else {
            CHECK_STATUS(answer, TLSMEM_OK);
            expect_unwrapped();
            expect_plain(0);
        }
        unwrap_close();
    }
    how->unbegun = 0;
}

/** Freed, with the fd or without it, in on_close. */
static void take_and_free(end *e, event what)
{
    if (what != EVENT_CLOSE)
        return;
    if (e->test != NULL)
        CHECK_STATUS(tlsmem_take_fd(e->c), e->fd);
    end_free_connection(e);
}

static void freed_in_on_close(setting_up *how)
{
    for (int takes = 0; takes < 2 && how->face != FACE_BUFFERS; takes++) {
        how->name = takes ? "taken and freed in on_close" : "freed in on_close";
        unwrap_open(how);
        CHECK_STATUS(tlsmem_own_fd(subject->c, 1), TLSMEM_OK);
        subject->hook = take_and_free;
        subject->test = takes ? subject : NULL;
        peer->hook = unwrap_on_eof;
        CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
        hear();
        load(10);
        give(100);
        CHECK(subject->closes == 1, "on_close %d times", subject->closes);
        CHECK((fcntl(subject->fd, F_GETFD) >= 0) == takes, "the fd is open: %d", !takes);
        if (!takes)
            subject->fd = -1;
        unwrap_close();
    }
}

/** The connection owns the fd: it keeps it after tlsmem_unwrap, and closes it when it is freed, or when it has failed. */
static void owned(setting_up *how)
{
    for (int fails = 0; fails < 2 && how->face != FACE_BUFFERS; fails++) {
        how->name = fails ? "an owned fd, and truncated" : "an owned fd";
        unwrap_open(how);
        CHECK_STATUS(tlsmem_own_fd(subject->c, 1), TLSMEM_OK);
        peer->hook = unwrap_on_eof;
        CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
        hear();
        if (fails) {
            shutdown(subject->outer, SHUT_WR);
            end_drive(subject);
            CHECK_ENDED(*subject, TLSMEM_ETRUNCATED);
        } else {
            load(0);
            give(100);
            expect_unwrapped();
            CHECK_STATUS(tlsmem_fd(subject->c), subject->fd);
            end_free_connection(subject);
        }
        CHECK(fcntl(subject->fd, F_GETFD) == -1, "nobody has closed it");
        subject->fd = -1;
        unwrap_close();
    }
}

static void truncated(setting_up *how)
{
    char byte;
    how->name = "FIN instead of close_notify";
    unwrap_open(how);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    end_give_eof(subject);
    CHECK_ENDED(*subject, TLSMEM_ETRUNCATED);
    CHECK_STATUS(tlsmem_unwrapped(subject->c, &byte, 1), TLSMEM_ETRUNCATED);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_ESTATE);
    unwrap_close();
}

/** FIN behind close_notify is another matter: TLS has ended in order. */
static void half_closed(setting_up *how)
{
    how->name = "close_notify, plain bytes and FIN";
    unwrap_open(how);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(50);
    give(1 << 20);
    end_give_eof(subject);
    CHECK(subject->closes == 0 && subject->eofs == 1, "on_close %d, on_eof %d times", subject->closes, subject->eofs);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    expect_unwrapped();
    expect_plain(50);
    unwrap_close();
}

/** Plain bytes without close_notify are no TLS. */
static void plain_too_early(setting_up *how)
{
    how->name = "plain bytes instead of close_notify";
    unwrap_open(how);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    while (end_take(peer, (char[1000]){ 0 }, 1000) > 0)
        ;
    load(100);
    give(100);
    CHECK_ENDED(*subject, TLSMEM_EPROTOCOL);
    unwrap_close();
}

static void unanswered(setting_up *how)
{
    how->name = "a peer that never answers";
    unwrap_open(how);
    CHECK_STATUS(tlsmem_set_timeout(subject->c, TLSMEM_TIMEOUT_CLOSE, 20), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    end_drive(subject);
    int64_t deadline = tlsmem_deadline(subject->c);
    CHECK(deadline > 0 && deadline <= tlsmem_now() + 20, "no deadline");
    if (how->face != FACE_REGISTRY)
        CHECK_STATUS(tlsmem_tick(subject->c, deadline), TLSMEM_ETIMEOUT);
    while (!end_ended(subject) && tlsmem_now() < deadline + 5000)
        IGNORE(tlsmem_loop_run_once(subject->loop, 100) < 0);
    CHECK_ENDED(*subject, TLSMEM_ETIMEOUT);
    unwrap_close();
}

static void not_now(setting_up *how)
{
    how->name = "before the handshake, with nothing written";
    how->unbegun = 1;
    unwrap_open(how);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    end_drive(subject);
    CHECK_ENDED(*subject, TLSMEM_EABORTED);
    CHECK_STATUS(tlsmem_unwrapped(subject->c, NULL, 0), TLSMEM_EABORTED);
    unwrap_close();

    how->name = "before the handshake";
    unwrap_open(how);
    peer->hook = unwrap_on_eof;
    subject->to_send = 20000;
    end_step(subject);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_handshake(peer->c), TLSMEM_AGAIN);
    carry();
    expect_unwrapped();
    CHECK_DELIVERED(*subject, *peer);
    expect_fd_of_use();
    unwrap_close();
    how->unbegun = 0;

    how->name = "after tlsmem_close, and after the end";
    unwrap_open(how);
    peer->close_on_eof = 1;
    CHECK_STATUS(tlsmem_close(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_ESTATE);
    carry();
    CHECK_ENDED(*subject, TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_unwrapped(subject->c, NULL, 0), TLSMEM_ESTATE);
    unwrap_close();

    how->name = "after tlsmem_close_write";
    unwrap_open(how);
    peer->hook = unwrap_on_eof;
    CHECK_STATUS(tlsmem_close_write(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    load(10);
    give(1);
    expect_unwrapped();
    expect_plain(10);
    unwrap_close();
}

/** While paused, plaintext is delivered before the end is told, and on_close waits for that. */
static void paused(setting_up *how)
{
    how->name = "while paused";
    unwrap_open(how);
    peer->hook = unwrap_on_eof;
    peer->to_send = 1000;
    CHECK_STATUS(tlsmem_pause(subject->c), TLSMEM_OK);
    end_step(peer);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    load(500);
    give(1 << 20);
    hear();
    CHECK(subject->closes == 0 && subject->received == 0, "on_close %d times", subject->closes);
    CHECK_STATUS(tlsmem_unwrapped(subject->c, NULL, 0), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_resume(subject->c), TLSMEM_OK);
    carry();
    CHECK(subject->received == 1000, "%llu bytes came", (unsigned long long)subject->received);
    expect_unwrapped();
    expect_plain(500);
    unwrap_close();
}

void unwrap_scenes_ends(setting_up *how)
{
    in_callbacks(how);
    freed_in_on_close(how);
    owned(how);
    truncated(how);
    half_closed(how);
    plain_too_early(how);
    unanswered(how);
    not_now(how);
    paused(how);
}
