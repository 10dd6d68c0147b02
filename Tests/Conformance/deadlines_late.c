/*
 * Deadlines that are looked at late, because a callback took its time: the peer is not blamed for that. What it has sent
 * meanwhile, and what it could only have said after our answer, counts.
 */
#define _GNU_SOURCE
#include "deadlines.h"
#include "false_clock.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 1000, LATE_MS = 3000 };

static tlsmem_limits limits;

static void say(end *e, size_t n)
{
    e->to_send += n;
    end_step(e);
}

static void open_late(const scene *like, const char *name, tlsmem_timeout which)
{
    scene s = *like;
    s.name = name;
    s.limits = &limits;
    pair_establish(&s);
    CHECK_STATUS(tlsmem_set_timeout(client.c, which, LIMIT_MS), TLSMEM_OK);
}

/** A program's turn: first the deadline, or first the socket, as it likes. */
static void turn(int tick_first)
{
    for (int i = 0; i < 2; i++) {
        if (i == tick_first)
            end_drive(&client);
        else if (client.face != FACE_REGISTRY && !end_ended(&client))
            IGNORE(tlsmem_tick(client.c, tlsmem_now()) != 0);
    }
}

/** So many bytes of the server's are in the client's socket, and nobody has told the client. */
static void send_behind_its_back(size_t n)
{
    static unsigned char bytes[65536];
    ptrdiff_t taken;
    say(&server, n);
    while ((taken = end_take(&server, bytes, sizeof bytes)) > 0)
        MUST(send(client.outer, bytes, (size_t)taken, MSG_NOSIGNAL) == taken);
}

static void goes_on(uint64_t received)
{
    CHECK(!end_ended(&client), "it ended: %s", tlsmem_status_name(client.report.status));
    wire_settle(&pair_wire);
    CHECK(client.received == received, "%llu bytes came", (unsigned long long)client.received);
    CHECK(tlsmem_deadline(client.c) == tlsmem_now() + LIMIT_MS, "%lld ms left",
          (long long)(tlsmem_deadline(client.c) - tlsmem_now()));
}

/** on_data takes its time, and then answers. */
static void answer_late(end *e, event what)
{
    if (what != EVENT_DATA)
        return;
    false_clock_forward(LATE_MS);
    say(e, 10);
}

static void waits_for_our_answer(const scene *s, tlsmem_timeout which)
{
    open_late(s, "a slow on_data, for whose answer the peer waits", which);
    client.hook = answer_late;
    for (int i = 1; i <= 3; i++) {
        say(&server, 100);
        wire_turn(&pair_wire);
        turn(i % 2);
        goes_on(100 * (uint64_t)i);
        CHECK(server.received == 10 * (uint64_t)i, "%llu bytes of the answer came", (unsigned long long)server.received);
    }
    pair_close();
}

/** While on_data takes its time, the peer goes on. */
static void hear_more_late(end *e, event what)
{
    if (what != EVENT_DATA || e->received > 100)
        return;
    false_clock_forward(LATE_MS);
    send_behind_its_back(200);
}

static void has_sent_more_meanwhile(const scene *s, tlsmem_timeout which)
{
    if (s->client_face == FACE_BUFFERS)
        return;
    open_late(s, "a slow on_data, and more in the socket", which);
    client.hook = hear_more_late;
    say(&server, 100);
    wire_turn(&pair_wire);
    turn(1);
    goes_on(300);
    pair_close();
}

/** Whatever kept the program: another descriptor of its loop, say. */
static void busy_elsewhere(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop, (void)events, (void)user;
    uint64_t one;
    IGNORE(read(fd, &one, sizeof one) < 0);
    false_clock_forward(LATE_MS);
    send_behind_its_back(100);
}

static void elsewhere(void)
{
    int other = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    if (client.face != FACE_REGISTRY) {
        busy_elsewhere(NULL, other, 0, NULL);
        turn(1);
    } else {
        CHECK_STATUS(tlsmem_loop_watch(client.loop, other, 1, busy_elsewhere, NULL), TLSMEM_OK);
        CHECK(tlsmem_loop_run_once(client.loop, 0) > 0, "the other descriptor is not ready");
        CHECK_STATUS(tlsmem_loop_watch(client.loop, other, 0, busy_elsewhere, NULL), TLSMEM_OK);
    }
    close(other);
}

static void has_sent_while_the_program_was_busy(const scene *s, tlsmem_timeout which)
{
    if (s->client_face == FACE_BUFFERS)
        return;
    open_late(s, "bytes in the socket of a program that was busy elsewhere", which);
    elsewhere();
    goes_on(100);
    pair_close();
}

static void has_closed_while_the_program_was_busy(const scene *s)
{
    if (s->client_face == FACE_BUFFERS)
        return;
    open_late(s, "close_notify in the socket of a program that was busy elsewhere", TLSMEM_TIMEOUT_CLOSE);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(server.c), TLSMEM_OK);
    elsewhere();
    end_drive(&client);
    CHECK_ENDED(client, TLSMEM_OK);
    pair_close();
}

/** The socket was full; by the time that the deadline is looked at, it is not any more. */
static void has_taken_while_the_program_was_busy(const scene *s)
{
    static unsigned char bytes[300000];
    if (s->client_face == FACE_BUFFERS)
        return;
    open_late(s, "a socket that has room again, of a program that was busy elsewhere", TLSMEM_TIMEOUT_WRITE);
    say(&client, 900000);
    end_drive(&client);
    uint64_t waiting = want_of(client.c).outgoing_bytes;
    CHECK(waiting > 0, "nothing waits");
    while (end_take(&client, bytes, sizeof bytes) > 0) /* it is lost: the server is not looked at here */
        ;
    false_clock_forward(LATE_MS);
    if (s->client_face == FACE_FD)
        IGNORE(tlsmem_tick(client.c, tlsmem_now()) != 0);
    else
        end_drive(&client);
    CHECK(!end_ended(&client), "it ended: %s", tlsmem_status_name(client.report.status));
    CHECK(want_of(client.c).outgoing_bytes < waiting, "nothing has gone");
    pair_close();
}

/** And whoever has really been silent for so long is still ended by the first look. */
static void was_silent(const scene *s, tlsmem_timeout which)
{
    open_late(s, "a peer that was silent", which);
    false_clock_forward(LIMIT_MS);
    turn(1);
    CHECK_ENDED(client, TLSMEM_ETIMEOUT);
    pair_close();
}

/** tlsmem_tick inside a callback, which has taken its time: looked at when it has returned. */
static void tick_late(end *e, event what)
{
    if (what != EVENT_DATA || e->received > 100)
        return;
    false_clock_forward(LATE_MS);
    CHECK_STATUS(tlsmem_tick(e->c, tlsmem_now()), TLSMEM_OK);
}

static void ticked_inside(const scene *s, tlsmem_timeout which)
{
    open_late(s, "tlsmem_tick inside a slow on_data", which);
    client.hook = tick_late;
    say(&server, 100);
    wire_turn(&pair_wire);
    goes_on(100);
    pair_close();
}

void late_deadlines(const scene *s)
{
    limits = (tlsmem_limits)TLSMEM_LIMITS_INIT;
    for (int i = 0; i < 2; i++) {
        tlsmem_timeout which = i == 0 ? TLSMEM_TIMEOUT_READ : TLSMEM_TIMEOUT_IDLE;
        waits_for_our_answer(s, which);
        has_sent_more_meanwhile(s, which);
        has_sent_while_the_program_was_busy(s, which);
        was_silent(s, which);
        ticked_inside(s, which);
    }
    has_closed_while_the_program_was_busy(s);
    has_taken_while_the_program_was_busy(s);
}
