/*
 * The five deadlines to the millisecond, in every face: what each is measured from, what moves it, and how it ends.
 *
 * Time stands still unless a test moves it (false_clock.h), and the time of day jumps by hours whenever it does.
 */
#define _GNU_SOURCE
#include "deadlines.h"
#include "false_clock.h"

static tlsmem_limits limits;
static int64_t jumped;

/** So much time passes for both ends, in one go. */
static void pass(int64_t ms)
{
    end *const both[2] = { &client, &server };
    false_clock_forward(ms);
    int64_t jump = jumped <= 0 ? 7 * 3600 - 2 * jumped : -11 * 3600 - jumped; /* farther each time */
    false_clock_jump(jump);
    jumped += jump;
    for (int i = 0; i < 2; i++) {
        if (!end_ended(both[i]) && both[i]->face != FACE_REGISTRY)
            IGNORE(tlsmem_tick(both[i]->c, tlsmem_now()) != 0);
        end_drive(both[i]);
    }
}

/** How long from now until the client's deadline; -1 for none. */
static long left(void)
{
    int64_t deadline = tlsmem_deadline(client.c);
    CHECK(want_of(client.c).deadline_ms == deadline, "two deadlines");
    return deadline < 0 ? -1 : (long)(deadline - tlsmem_now());
}

/** The client ends when its deadline comes, not a millisecond before, and says which it was. */
static void expect_end(const char *word)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    long rest = left();
    CHECK(rest > 0, "no deadline (%ld) for %s", rest, word);
    pass(rest - 1);
    CHECK(!end_ended(&client), "%s is a millisecond early", word);
    pass(1);
    CHECK_ENDED(client, TLSMEM_ETIMEOUT);
    CHECK_STATUS(tlsmem_error(client.c, &error), TLSMEM_OK);
    CHECK(strstr(error.sentence, word) != NULL, "\"%s\" speaks of no %s", error.sentence, word);
    CHECK(tlsmem_deadline(client.c) == -1, "a deadline after the end");
}

static void set_own(tlsmem_timeout which, uint32_t ms)
{
    CHECK_STATUS(tlsmem_set_timeout(client.c, which, ms), TLSMEM_OK);
}

static void peer_says(uint64_t n)
{
    server.to_send += n;
    wire_settle(&pair_wire);
}

static void open_for(scene *s, const char *name, int handshake_too)
{
    s->name = name;
    s->limits = &limits;
    (handshake_too ? pair_establish : pair_open)(s);
    for (tlsmem_timeout which = TLSMEM_TIMEOUT_HANDSHAKE; which <= TLSMEM_TIMEOUT_CLOSE; which++)
        CHECK_STATUS(tlsmem_set_timeout(server.c, which, 0), TLSMEM_OK); /* the client's are tried */
}

static void handshake(scene *s)
{
    open_for(s, "handshake_ms", 0);
    CHECK(left() == (s->client_face == FACE_BUFFERS ? -1 : 3000), "%ld ms before it began", left());
    IGNORE(tlsmem_handshake(client.c) != 0);
    pass(1000);
    CHECK(left() == 2000, "%ld ms left", left());
    set_own(TLSMEM_TIMEOUT_HANDSHAKE, 10000);
    CHECK(left() == 9000, "%ld ms left of 10000 after 1000", left());
    set_own(TLSMEM_TIMEOUT_HANDSHAKE, 0);
    CHECK(left() == -1, "%ld ms left of none", left());
    pass(1000000);
    set_own(TLSMEM_TIMEOUT_HANDSHAKE, 1005000);
    CHECK(left() == 4000, "%ld ms left, measured anew", left());
    expect_end("handshake_ms");
    pair_close();
}

static void idle(scene *s)
{
    limits.idle_ms = 5000;
    open_for(s, "idle_ms", 1);
    CHECK(left() == 5000, "%ld ms left", left());
    pass(3000);
    peer_says(100);
    CHECK(left() == 5000, "%ld ms left after a byte came", left());
    pass(4000);
    client.to_send += 100;
    wire_settle(&pair_wire);
    CHECK(left() == 5000, "%ld ms left after a byte went", left());
    if (s->client_face == FACE_REGISTRY)
        CHECK(tlsmem_loop_timeout(client.loop) <= 5000, "the loop sleeps for %d ms", tlsmem_loop_timeout(client.loop));
    pass(4000);
    set_own(TLSMEM_TIMEOUT_IDLE, 6000);
    CHECK(left() == 2000, "%ld ms left of 6000 after 4000", left());
    expect_end("idle_ms");
    CHECK(client.report.close_notify_sent == 1, "the peer was told nothing");
    wire_settle(&pair_wire);
    CHECK(server.eofs == 1, "the peer has heard nothing");
    pair_close();
    limits.idle_ms = 0;
}

static void read(scene *s)
{
    limits.read_ms = 5000;
    limits.incoming_max = 20000;
    open_for(s, "read_ms", 1);
    CHECK(left() == 5000, "%ld ms left", left());
    pass(3000);
    client.to_send += 100;
    wire_settle(&pair_wire);
    CHECK(left() == 2000, "%ld ms left: what goes does not count", left());
    peer_says(100);
    CHECK(left() == 5000, "%ld ms left after a byte came", left());
    CHECK_STATUS(tlsmem_pause(client.c), TLSMEM_OK);
    CHECK(left() == -1, "%ld ms left while paused", left());
    pass(1000000);
    CHECK_STATUS(tlsmem_resume(client.c), TLSMEM_OK);
    CHECK(left() == 5000, "%ld ms left after tlsmem_resume", left());

    /* Full, without on_data: it is not read before there is room. */
    tlsmem_callbacks pull = end_callbacks;
    pull.on_data = NULL;
    CHECK_STATUS(tlsmem_set_callbacks(client.c, &pull, &client), TLSMEM_OK);
    peer_says(60000);
    CHECK(want_of(client.c).needs_ciphertext == 0, "%zu bytes wait, and it is read", want_of(client.c).incoming_bytes);
    CHECK(left() == -1, "%ld ms left while full", left());
    pass(1000000);
    static unsigned char bytes[100000];
    ptrdiff_t got = tlsmem_read(client.c, bytes, sizeof bytes);
    CHECK(got >= 20000 && left() == 5000, "%ld ms left after %td bytes were read", left(), got);
    wire_settle(&pair_wire);
    IGNORE(tlsmem_read(client.c, bytes, sizeof bytes) < 0);
    set_own(TLSMEM_TIMEOUT_READ, 7000);
    CHECK(left() == 7000, "%ld ms left of its own 7000", left());
    wire_settle(&pair_wire);
    expect_end("read_ms");
    CHECK(client.report.close_notify_sent == 1, "the peer was told nothing");
    pair_close();
    limits.read_ms = 0;
    limits.incoming_max = 262144;
}

/** Whoever has said everything is not waited for. */
static void read_after_the_peer_closed(scene *s)
{
    limits.read_ms = 5000;
    open_for(s, "read_ms after close_notify", 1);
    CHECK_STATUS(tlsmem_close_write(server.c), TLSMEM_OK);
    wire_settle(&pair_wire);
    CHECK(client.eofs == 1 && left() == -1, "%ld ms left", left());
    pair_close();
    limits.read_ms = 0;
}

static void write_(scene *s)
{
    static unsigned char bytes[300000];
    limits.write_ms = 5000;
    open_for(s, "write_ms", 1);
    CHECK(left() == -1, "%ld ms left though nothing waits", left());
    pass(60000);
    client.to_send = 900000; /* more than a socket takes */
    end_step(&client);
    end_drive(&client);
    CHECK(left() == 5000, "%ld ms left", left());
    pass(4000);
    CHECK(left() == 1000, "%ld ms left after 4000", left());
    CHECK(end_take(&client, bytes, sizeof bytes) > 0, "nothing is to be taken");
    end_drive(&client);
    CHECK(left() == 5000, "%ld ms left after some was taken", left());
    set_own(TLSMEM_TIMEOUT_WRITE, 2500);
    CHECK(left() == 2500, "%ld ms left of 2500", left());
    pass(1000);
    set_own(TLSMEM_TIMEOUT_WRITE, 3000);
    CHECK(left() == 2000, "%ld ms left of 3000 after 1000", left());
    expect_end("write_ms");
    CHECK(client.report.ciphertext_unsent > 0 && client.report.close_notify_sent == 0,
          "%llu bytes unsent, close_notify %d", (unsigned long long)client.report.ciphertext_unsent,
          client.report.close_notify_sent);
    pair_close();
    limits.write_ms = 0;
}

static void close_(scene *s)
{
    limits.idle_ms = limits.read_ms = 1000;
    open_for(s, "close_ms", 1);
    CHECK_STATUS(tlsmem_close(client.c), TLSMEM_OK);
    CHECK(left() == 4000, "%ld ms left: the others hold no more", left());
    pass(1000);
    set_own(TLSMEM_TIMEOUT_CLOSE, 2000);
    CHECK(left() == 1000, "%ld ms left of 2000 after 1000", left());
    expect_end("close_ms");
    pair_close();
    limits.idle_ms = limits.read_ms = 0;
}

/** A deadline that bytes move all the time is not met early, nor does it keep anybody awake. */
static void lazily(scene *s)
{
    if (s->client_face != FACE_REGISTRY)
        return;
    limits.idle_ms = 1000;
    open_for(s, "a moving deadline", 1);
    int64_t first = tlsmem_now() + 1000;
    for (int byte = 0; byte < 50; byte++) {
        false_clock_forward(10);
        peer_says(1);
    }
    CHECK(left() == 1000 && tlsmem_loop_timeout(client.loop) == first - tlsmem_now(), "%ld ms left, the loop sleeps for %d",
          left(), tlsmem_loop_timeout(client.loop));
    false_clock_forward(first - tlsmem_now());
    CHECK_STATUS(tlsmem_loop_run_once(client.loop, 0), 0); /* the moment that it once was: nothing is to be done */
    CHECK(!end_ended(&client) && tlsmem_loop_timeout(client.loop) == left(), "the loop sleeps for %d ms of %ld",
          tlsmem_loop_timeout(client.loop), left());
    for (int byte = 0; byte < 1000; byte++) {
        false_clock_forward(10);
        peer_says(1);
    }
    CHECK(!end_ended(&client) && server.sent == 1050, "it ended in the middle of its bytes");
    CHECK(left() == 1000, "%ld ms left", left());
    expect_end("idle_ms");
    pair_close();
    limits.idle_ms = 0;
}

int main(void)
{
    void (*const plays[])(scene *) = { handshake, idle, read, read_after_the_peer_closed, write_, close_, lazily };
    limits = (tlsmem_limits)TLSMEM_LIMITS_INIT;
    limits.handshake_ms = 3000;
    limits.close_ms = 4000;
    begin("deadlines");
    false_clock(1);
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        for (int face = FACE_BUFFERS; face <= FACE_REGISTRY; face++)
            for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
                scene s = { .version = version, .client_face = (enum face)face, .server_face = FACE_BUFFERS };
                plays[i](&s);
                false_clock_jump(-jumped); /* certificates want to know the day */
                jumped = 0;
            }
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        for (int face = FACE_BUFFERS; face <= FACE_REGISTRY; face++) {
            scene s = { .version = version, .client_face = (enum face)face, .server_face = FACE_BUFFERS };
            late_deadlines(&s);
        }
    situation("clocks");
    CHECK(false_clock_asked() == 0, "the library has asked %ld times for a clock that can be set", false_clock_asked());
    printf("deadlines: the time of day jumped hours to and fro, and the library never asked for it\n");
    return finish();
}
