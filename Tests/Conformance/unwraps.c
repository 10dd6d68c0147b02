/*
 * tlsmem_unwrap: TLS ends, and the transport goes on in plain. No byte of what follows close_notify is lost, however it
 * was cut and whoever began.
 */
#define _GNU_SOURCE
#include "unwraps.h"

#include <unistd.h>

static tlsmem_limits limits;

static void unwrap_on_eof(end *e, event what)
{
    if (what == EVENT_EOF)
        CHECK_STATUS(tlsmem_unwrap(e->c), TLSMEM_OK);
}

/** The subject begins; the peer answers, and goes on in plain at once. */
static void first(setting_up *how, size_t plain, size_t piece)
{
    how->name = plain == 0 ? "the subject first" : piece == 1 ? "the subject first, bytewise" : "the subject first, and plain";
    unwrap_open(how);
    peer->hook = unwrap_on_eof;
    subject->to_send = peer->to_send = 5000;
    end_step(subject);
    end_step(peer);
    CHECK_STATUS(tlsmem_unwrapped(subject->c, NULL, 0), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_close(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_write(subject->c, "x", 1), TLSMEM_ESTATE);
    CHECK(state_of(subject->c) == TLSMEM_STATE_CLOSING, "state %d", (int)state_of(subject->c));
    hear();
    CHECK_STATUS(tlsmem_unwrapped(subject->c, NULL, 0), TLSMEM_AGAIN);
    load(plain);
    give(piece);
    expect_unwrapped();
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_ESTATE);
    CHECK(subject->received == 5000 && peer->received == 5000, "%llu and %llu bytes came by TLS",
          (unsigned long long)subject->received, (unsigned long long)peer->received);
    CHECK_ENDED(*peer, TLSMEM_OK);
    expect_plain(plain);
    expect_fd_of_use();
    unwrap_close();
}

/** The peer begins, and goes on in plain without waiting; the subject answers now or some time later. */
static void second(setting_up *how, size_t plain, size_t piece, int inside)
{
    how->name = inside ? "the peer first, answered in on_eof" : "the peer first, answered later";
    unwrap_open(how);
    if (inside)
        subject->hook = unwrap_on_eof;
    peer->to_send = 3000;
    end_step(peer);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(plain);
    give(piece);
    CHECK(subject->eofs == 1 && subject->received == 3000, "on_eof %d times after %llu bytes", subject->eofs,
          (unsigned long long)subject->received);
    if (!inside) {
        load(plain);
        give(piece);
        CHECK(subject->closes == 0 && want_of(subject->c).has_plaintext == 0, "it has plaintext, or has ended");
        CHECK_STATUS(tlsmem_write(subject->c, "still by TLS", 12), 12);
        CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    }
    peer->wrong = 0;
    hear();
    expect_unwrapped();
    CHECK_ENDED(*peer, TLSMEM_OK);
    CHECK(peer->received == (inside ? 0 : 12), "%llu bytes came to the peer", (unsigned long long)peer->received);
    peer->wrong = 0; /* they are no pattern */
    expect_plain(inside ? plain : 2 * plain);
    expect_fd_of_use();
    unwrap_close();
}

/** More than incoming_max behind close_notify: the rest stays where it is. */
static void bounded(setting_up *how)
{
    how->name = "more in plain than incoming_max";
    how->limits = &limits;
    limits.incoming_max = 20000;
    unwrap_open(how);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(150000);
    give(1 << 20);
    CHECK(subject->eofs == 1 && want_of(subject->c).needs_ciphertext == 0, "it receives on");
    CHECK(report_of(subject->c).ciphertext_received < 60000, "%llu bytes were received",
          (unsigned long long)report_of(subject->c).ciphertext_received);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    expect_unwrapped();
    expect_plain(150000);
    unwrap_close();
    how->limits = NULL;
    limits.incoming_max = 262144;
}

/** tlsmem_close instead: what came in plain is dropped, the socket is read again, and FIN is sent. */
static void closed_instead(setting_up *how)
{
    char byte;
    how->name = "tlsmem_close after plain bytes came";
    how->limits = &limits;
    limits.incoming_max = 20000;
    unwrap_open(how);
    subject->to_send = 3000000; /* more than goes at once: it is closing for a while */
    end_step(subject);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(100000);
    give(1 << 20);
    CHECK(want_of(subject->c).needs_ciphertext == 0, "it receives on");
    CHECK_STATUS(tlsmem_close(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_ESTATE);
    CHECK(want_of(subject->c).needs_ciphertext == 1, "it does not receive on");
    give(1 << 20);
    hear();
    CHECK_ENDED(*subject, TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrapped(subject->c, &byte, 1), TLSMEM_ESTATE);
    if (subject->face != FACE_BUFFERS)
        CHECK(end_take(subject, &byte, 1) == -1, "no FIN");
    unwrap_close();
    how->limits = NULL;
    limits.incoming_max = 262144;
}

static void both_at_once(setting_up *how)
{
    how->name = "both at once";
    unwrap_open(how);
    subject->to_send = peer->to_send = 70000;
    end_step(subject);
    end_step(peer);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(1000);
    give(1 << 20);
    hear();
    expect_unwrapped();
    CHECK_ENDED(*peer, TLSMEM_OK);
    CHECK_DELIVERED(*subject, *peer);
    CHECK_DELIVERED(*peer, *subject);
    expect_plain(1000);
    expect_fd_of_use();
    unwrap_close();
}

/** With a full socket, and gathered bytes: all that was written goes out before close_notify. */
static void unsent(setting_up *how)
{
    how->name = "with bytes unsent";
    unwrap_open(how);
    peer->hook = unwrap_on_eof;
    subject->to_send = 900000;
    end_step(subject);
    end_drive(subject);
    CHECK_STATUS(tlsmem_cork(subject->c), TLSMEM_OK);
    subject->to_send += 100;
    end_step(subject);
    CHECK(want_of(subject->c).outgoing_bytes > 0, "nothing waits");
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    hear();
    load(10);
    give(1 << 20);
    expect_unwrapped();
    CHECK_DELIVERED(*subject, *peer);
    expect_plain(10);
    expect_fd_of_use();
    unwrap_close();
}

/** Once the peer has closed, too, what it sends in plain is left in the socket, however long our own last bytes take. */
static void leaves_the_rest(setting_up *how)
{
    how->name = "the peer has closed, and we are still sending";
    unwrap_open(how);
    subject->to_send = 900000;
    end_step(subject);
    CHECK_STATUS(tlsmem_unwrap(subject->c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(10);
    give(1 << 20);
    uint64_t received = report_of(subject->c).ciphertext_received;
    load(1000);
    if (how->face != FACE_BUFFERS)
        give(1 << 20);
    CHECK(subject->closes == 0 && want_of(subject->c).needs_ciphertext == 0, "it has ended, or receives on");
    CHECK(report_of(subject->c).ciphertext_received == received, "it has received on");
    hear();
    expect_unwrapped();
    CHECK_DELIVERED(*subject, *peer);
    expect_plain(1010);
    unwrap_close();
}

/** TLS again on the same transport: the peer's first flight of it comes right behind its close_notify. */
static void again(setting_up *how)
{
    static unsigned char bytes[100000];
    how->name = "TLS again, behind close_notify";
    unwrap_open(how);
    CHECK_STATUS(tlsmem_unwrap(peer->c), TLSMEM_OK);
    load(0);
    end before = *subject;
    tlsmem *old = subject->c, *old_peer = peer->c;
    tlsmem_ctx *ctx = context(how->is_server ? TLSMEM_CLIENT : TLSMEM_SERVER, how->version);
    tlsmem_ctx *own = context(how->is_server ? TLSMEM_SERVER : TLSMEM_CLIENT, how->version);
    end_adopt(peer, connection(ctx, &end_callbacks, peer), peer->stream);
    load(0); /* a client's hello */
    subject->hook = unwrap_on_eof;
    give(1 << 20);
    CHECK(subject->closes == (how->face == FACE_BUFFERS ? 0 : 1), "on_close %d times", subject->closes);
    while (end_take(subject, bytes, sizeof bytes) > 0)
        ; /* its close_notify */
    expect_unwrapped();

    ptrdiff_t n = tlsmem_unwrapped(old, bytes, sizeof bytes);
    CHECK(how->is_server ? n > 100 : n == 0, "%td bytes behind close_notify", n);
    end_adopt(subject, connection(own, &end_callbacks, subject), before.stream);
    subject->face = how->face;
    subject->outer = before.outer;
    if (n > 0)
        CHECK_STATUS(tlsmem_feed(subject->c, bytes, (size_t)n), n);
    if (how->face != FACE_BUFFERS) {
        subject->fd = tlsmem_take_fd(old);
        subject->loop = before.loop;
        CHECK_STATUS(how->face == FACE_FD ? tlsmem_set_fd(subject->c, subject->fd)
                                          : tlsmem_loop_add(subject->loop, subject->c, subject->fd), TLSMEM_OK);
        subject->other = before.other;
    }
    tlsmem_free(old);
    tlsmem_free(old_peer);
    subject->to_send = peer->to_send = 1000;
    for (int turn = 0; turn < 8; turn++) {
        end_step(subject);
        end_step(peer);
        carry();
    }
    CHECK(subject->received == 1000 && peer->received == 1000, "%llu and %llu bytes came",
          (unsigned long long)subject->received, (unsigned long long)peer->received);
    tlsmem_ctx_free(ctx);
    tlsmem_ctx_free(own);
    unwrap_close();
}

int main(void)
{
    limits = (tlsmem_limits)TLSMEM_LIMITS_INIT;
    limits.incoming_low = 0;
    begin("unwraps");
    int descriptors = open_descriptors();
    for (int i = 0; i < 12; i += short_run() ? 5 : 1) {
        setting_up how = { NULL, i % 2 == 0 ? TLSMEM_TLS1_3 : TLSMEM_TLS1_2, i / 2 % 2, (face)(i / 4), NULL, 0 };
        first(&how, 0, 1 << 20);
        first(&how, 1, 1 << 20);
        first(&how, 300, 1);
        first(&how, 300000, 1 << 20);
        first(&how, 300000, 777);
        second(&how, 0, 1 << 20, 1);
        second(&how, 100000, 1 << 20, 1);
        second(&how, 300, 1, 1);
        second(&how, 300, 1, 0);
        second(&how, 100000, 5000, 0);
        second(&how, 0, 1 << 20, 0);
        bounded(&how);
        closed_instead(&how);
        both_at_once(&how);
        unsent(&how);
        leaves_the_rest(&how);
        again(&how);
        unwrap_scenes_ends(&how);
    }
    CHECK(open_descriptors() == descriptors, "descriptors leaked");
    return finish();
}
