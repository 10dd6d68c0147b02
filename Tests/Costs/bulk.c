/*
 * The registry again: as much as goes, one way and the other. Over a Unix socket, where what has been sent has arrived:
 * how TCP cuts a stream depends on when it is asked.
 */
#include "costs.h"

#include <sys/socket.h>

enum { PIECE = 65536, MEBI = 1048576, MEBIS = 4, SOCKET_BUFFER = 212992 };

static tlsmem_loop *loop;
static size_t received, to_send;

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)c, (void)bytes, (void)user;
    received += n;
}

static void produce(tlsmem *c, void *user)
{
    static unsigned char text[PIECE];
    (void)user;
    while (to_send > 0) {
        ptrdiff_t n = tlsmem_write(c, text, to_send < PIECE ? to_send : PIECE);
        if (n > 0)
            to_send -= (size_t)n;
        if (n < PIECE)
            return;
    }
}

static void turn(void)
{
    MUST(tlsmem_loop_run_once(loop, 1000) >= 0);
}

/** The first time is not measured: the buffers grow. */
static void upload(const char *name, peer *p)
{
    for (int measured = 0; measured < 2; measured++) {
        records made = peer_makes(p, (measured ? MEBIS : 1) * (MEBI / LARGE), LARGE);
        size_t all = made.length * (size_t)made.count, at = 0;
        if (measured)
            measure_begin();
        for (received = 0; received < (size_t)made.count * LARGE;) {
            if (at < all)
                at += peer_sends(p, made.bytes + at, all - at);
            turn();
        }
        free(made.bytes);
    }
    measure_end(name, MEBIS, MEBI);
}

static void download(const char *name, tlsmem *c, const peer *p)
{
    for (int measured = 0; measured < 2; measured++) {
        if (measured)
            measure_begin();
        to_send = (size_t)MEBIS * MEBI;
        size_t least = to_send, dropped = 0;
        produce(c, NULL);
        while (to_send > 0 || dropped < least) {
            turn();
            dropped += peer_drops(p);
        }
    }
    measure_end(name, MEBIS, MEBI);
}

void measure_bulk(int version)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, produce, NULL, NULL };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    SSL_CTX *client_ctx = peer_context(TLSMEM_CLIENT, version);
    int ends[2], size = SOCKET_BUFFER;
    loop = new_loop();
    MUST(loop != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    for (int i = 0; i < 2; i++)
        MUST(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    tlsmem *c = connection(ctx, &callbacks, NULL);
    MUST(tlsmem_own_fd(c, 1) == TLSMEM_OK && tlsmem_loop_add(loop, c, ends[0]) == TLSMEM_OK);
    peer p = peer_new(client_ctx, TLSMEM_CLIENT, ends[1]);
    while (!peer_handshakes(&p) || !tlsmem_is_established(c)) {
        IGNORE(peer_moves(&p));
        turn();
        IGNORE(peer_moves(&p));
    }
    download("loop download", c, &p);
    upload("loop upload", &p);
    tlsmem_free(c);
    peer_free(&p);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    SSL_CTX_free(client_ctx);
}
