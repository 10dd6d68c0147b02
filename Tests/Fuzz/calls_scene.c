/* Contexts, sockets, loops, and who moves what. */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

scene now;

static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)user;
    return on_question(c, TLSMEM_QUESTION_CLIENT_HELLO, hello->token);
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    return on_question(c, TLSMEM_QUESTION_VERIFY, verdict->token);
}

static tlsmem_ctx *context_of(tlsmem_role role, unsigned kind)
{
    int server = role == TLSMEM_SERVER, ok = TLSMEM_OK;
    tlsmem_ctx *ctx = context(role, server || kind & CALLS_MUTUAL ? 0 : -1);
    ok |= tlsmem_ctx_set_alpn(ctx, "fuzz");
    if (kind & CALLS_OLD) {
        ok |= tlsmem_ctx_set_max_version(ctx, TLSMEM_TLS1_2);
        ok |= tlsmem_ctx_set_renegotiation(ctx, 1);
    }
    if (kind & CALLS_KEY)
        ok |= tlsmem_ctx_set_psk(ctx, "fuzz", "0123456789abcdef", 16);
    if (kind & CALLS_SMALL)
        limits_of(ctx, 32768, 4000);
    if (kind & CALLS_ASKED)
        ok |= server ? tlsmem_ctx_set_client_hello_cb(ctx, on_hello, NULL) : tlsmem_ctx_set_verify_cb(ctx, on_verdict, NULL);
    if (kind & CALLS_MUTUAL)
        ok |= server ? tlsmem_ctx_set_verify(ctx, kind & CALLS_OLD ? TLSMEM_VERIFY_OPTIONAL : TLSMEM_VERIFY_LATER)
                     : tlsmem_ctx_set_post_handshake_auth(ctx, 1);
    if (kind & CALLS_EARLY && server)
        ok |= tlsmem_ctx_set_early_data(ctx, 16384);
    MUST(ok == TLSMEM_OK);
    tlsmem_free(tlsmem_new(ctx, NULL, NULL)); /* which freezes it: that takes random numbers, too */
    return ctx;
}

void scene_contexts(void)
{
    static tlsmem_ctx *contexts[64][2];
    unsigned kind = now.kind & 63;
    if (contexts[kind][0] == NULL) {
        world_begin(6);
        contexts[kind][0] = context_of(TLSMEM_CLIENT, kind);
        contexts[kind][1] = context_of(TLSMEM_SERVER, kind);
        world_end();
    }
    memcpy(now.contexts, contexts[kind], sizeof now.contexts);
}

void scene_open(unsigned faces)
{
    int fds[2] = { -1, -1 };
    now.connections++;
    if (now.kind & CALLS_KIT) {
        now.pair = tlsmem_pair_new(now.contexts[0], now.contexts[1]);
        MUST(now.pair != NULL);
    } else {
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        for (int side = 0; side < 2; side++) { /* small ones fill up */
            int room = 4096;
            setsockopt(fds[side], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        }
    }
    for (int side = 0; side < 2; side++) {
        end *e = &now.ends[side];
        *e = (end){ .side = side, .fd = fds[side], .now = FACE_BUFFERS };
        e->c = now.pair != NULL ? tlsmem_pair_end(now.pair, side) : tlsmem_new(now.contexts[side], NULL, NULL);
        MUST(e->c != NULL);
        end_callbacks(e, 1);
        if (side == 0) {
            MUST(tlsmem_set_server_name(e->c, "fuzz.example") == TLSMEM_OK);
            if (now.session != NULL)
                IGNORE(tlsmem_session_set(e->c, now.session));
        }
        if (now.pair == NULL && (e->now = (face)(faces >> 2 * side & 3)) != FACE_BUFFERS) {
            if (e->now == FACE_FD)
                MUST(tlsmem_set_fd(e->c, e->fd) == TLSMEM_OK);
            else
                MUST(tlsmem_loop_add(now.loops[e->now == FACE_EDGE], e->c, e->fd) == TLSMEM_OK);
        }
    }
}

static void send_some(end *e, size_t n)
{
    const void *bytes;
    size_t shown;
    if (tlsmem_outgoing_peek(e->c, &bytes, &shown) != TLSMEM_OK || e->c == NULL)
        return;
    ssize_t sent = send(e->fd, bytes, shown < n ? shown : n, MSG_NOSIGNAL);
    if (sent >= 0)
        MUST(tlsmem_outgoing_consume(e->c, (size_t)sent) == TLSMEM_OK);
    else if (errno != EAGAIN)
        IGNORE(tlsmem_feed_error(e->c, errno));
}

/** What is not taken stays in the socket, so that another face finds it there. */
static void receive_some(end *e, size_t n)
{
    uint8_t some[5000];
    ssize_t there = recv(e->fd, some, n < sizeof some ? n : sizeof some, MSG_PEEK);
    if (there == 0)
        IGNORE(tlsmem_feed_eof(e->c));
    if (there <= 0)
        return;
    ptrdiff_t taken = tlsmem_feed(e->c, some, (size_t)there);
    MUST(taken <= there && taken != TLSMEM_EINVAL);
    if (taken < 0 && taken != TLSMEM_AGAIN)
        taken = there; /* nobody wants them any more */
    if (taken > 0)
        MUST(recv(e->fd, some, (size_t)taken, 0) == taken);
}

/** What a program with buffers does, and not inside of itself: at most n bytes each way. */
static void move_bytes(end *e, size_t n)
{
    if (e->moves)
        return;
    e->moves = 1;
    send_some(e, n);
    if (e->c != NULL)
        receive_some(e, n);
    e->moves = 0;
}

void scene_pump(unsigned n)
{
    if (now.pair != NULL) {
        if (n < 128)
            for (unsigned i = 0; i < 1 + n % 8; i++)
                IGNORE(tlsmem_pair_step(now.pair));
        else
            IGNORE(tlsmem_pair_run(now.pair, tlsmem_pair_time(now.pair) + (n - 127) * 20));
        return;
    }
    for (int i = 0; i < 2; i++) {
        end *e = &now.ends[i];
        if (e->c == NULL)
            continue;
        if (e->now == FACE_BUFFERS)
            move_bytes(e, 1 + n * 40);
        else if (e->now == FACE_FD) {
            if (tlsmem_interest(e->c) & POLLIN)
                IGNORE(tlsmem_on_readable(e->c));
            if (e->c != NULL && tlsmem_interest(e->c) & POLLOUT)
                IGNORE(tlsmem_on_writable(e->c));
        } else
            IGNORE(tlsmem_loop_run_once(now.loops[e->now == FACE_EDGE], n < 200 ? 0 : (int)(n - 199) * 300));
    }
}

void scene_close(void)
{
    for (int turns = 0; turns < 30; turns++)
        scene_pump(199);
    for (int side = 0; side < 2; side++) {
        end *e = &now.ends[side];
        end_hold(e);
        if (e->c == NULL)
            continue;
        ask_everything(e->c);
        IGNORE(tlsmem_abort(e->c));
        if (e->c == NULL)
            continue;
        MUST(e->closes == 1);
        end_free(e);
    }
    for (int side = 0; side < 2; side++)
        if (now.ends[side].fd >= 0)
            close(now.ends[side].fd);
    tlsmem_pair_free(now.pair);
    now.pair = NULL;
}
