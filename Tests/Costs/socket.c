/* The fd face: one connection in a program's own loop. */
#include "costs.h"

#include <sys/socket.h>

static int answers; /* writes for each that comes, of as many bytes */

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    for (int i = 0; i < answers; i++)
        MUST(tlsmem_write(c, bytes, n) == (ptrdiff_t)n);
}

/** What a loop does for a descriptor that epoll has named. */
static void drive(tlsmem *c)
{
    MUST(tlsmem_on_readable(c) == TLSMEM_OK);
    MUST(tlsmem_interest(c) > 0);
}

static void requests(const char *name, tlsmem *c, peer *p, int writes)
{
    records made = peer_makes(p, SMALL_COUNT + WARM, SMALL);
    tlsmem_stats_info before = TLSMEM_STATS_INFO_INIT, after = TLSMEM_STATS_INFO_INIT;
    answers = writes;
    for (long i = -WARM; i < SMALL_COUNT; i++) {
        if (i == 0) {
            MUST(tlsmem_stats(c, &before) == TLSMEM_OK);
            measure_begin();
        }
        MUST(peer_sends(p, made.bytes + (size_t)(i + WARM) * made.length, made.length) == made.length);
        drive(c);
        MUST(peer_drops(p) > SMALL);
    }
    measure_end(name, SMALL_COUNT * writes, SMALL);
    MUST(tlsmem_stats(c, &after) == TLSMEM_OK);
    measure_note(name, "recv by tlsmem_stats", (double)(after.recv_calls - before.recv_calls) / (SMALL_COUNT * writes));
    measure_note(name, "send by tlsmem_stats", (double)(after.send_calls - before.send_calls) / (SMALL_COUNT * writes));
    free(made.bytes);
}

static void for_nothing(const char *name, tlsmem *c)
{
    measure_begin();
    for (long i = 0; i < SMALL_COUNT; i++)
        drive(c);
    measure_end(name, SMALL_COUNT, 0);
}

static void ticks(const char *name, tlsmem *c)
{
    int64_t now = tlsmem_now();
    measure_begin();
    for (long i = 0; i < SMALL_COUNT; i++)
        MUST(tlsmem_tick(c, now) == TLSMEM_OK);
    measure_end(name, SMALL_COUNT, 0);
}

void measure_socket(int version)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, NULL, NULL, NULL };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    SSL_CTX *client_ctx = peer_context(TLSMEM_CLIENT, version);
    int ends[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    tlsmem *c = connection(ctx, &callbacks, NULL);
    MUST(tlsmem_set_fd(c, ends[0]) == TLSMEM_OK && tlsmem_own_fd(c, 1) == TLSMEM_OK);
    peer p = peer_new(client_ctx, TLSMEM_CLIENT, ends[1]);
    while (!peer_handshakes(&p) || !tlsmem_is_established(c)) {
        IGNORE(peer_moves(&p));
        IGNORE(tlsmem_on_readable(c));
        IGNORE(peer_moves(&p));
    }
    requests("socket echo 64", c, &p, 1);
    requests("socket gathered 64", c, &p, 16);
    for_nothing("socket wake-up for nothing", c);
    ticks("socket tick", c);
    tlsmem_free(c);
    peer_free(&p);
    tlsmem_ctx_free(ctx);
    SSL_CTX_free(client_ctx);
}
