/* The registry: a server over TCP with many clients, in the library's own loop. */
#include "costs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { CROWD = 64, NEWCOMERS = 16, TURNS = 8 };

static tlsmem_loop *loop;
static tlsmem_listener *listener;
static SSL_CTX *client_ctx;

/* ---- the server */

static int answers;               /* writes for each that comes, of as many bytes */
static int established, present;
static size_t received;           /* bytes */

static void on_established(tlsmem *c, void *user)
{
    (void)c, (void)user;
    established++;
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    received += n;
    for (int i = 0; i < answers; i++)
        MUST(tlsmem_write(c, bytes, n) == (ptrdiff_t)n);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    MUST(report->status == TLSMEM_OK);
    tlsmem_free(c);
    present--;
}

static int on_accept(tlsmem_listener *from, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_data, NULL, NULL, on_close };
    (void)from, (void)user;
    accepted->callbacks = &callbacks;
    present++;
    return 0;
}

/* ---- its clients */

static peer crowd[CROWD];

static int connected(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)tlsmem_listener_port(listener)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

/** So many that have said hello, of which the server knows nothing yet. */
static void knock(int count)
{
    for (int i = 0; i < count; i++) {
        crowd[i] = peer_new(client_ctx, TLSMEM_CLIENT, connected());
        MUST(!peer_handshakes(&crowd[i]) && peer_moves(&crowd[i]));
    }
}

static void turn(void)
{
    MUST(tlsmem_loop_run_once(loop, 1000) >= 0);
}

static void shake_hands(int count)
{
    for (established = 0; established < count;) {
        turn();
        for (int i = 0; i < count; i++)
            if (peer_moves(&crowd[i])) {
                IGNORE(peer_handshakes(&crowd[i]));
                IGNORE(peer_moves(&crowd[i]));
            }
    }
}

static void say_goodbye(int count)
{
    for (int i = 0; i < count; i++) {
        SSL_shutdown(crowd[i].ssl);
        MUST(peer_moves(&crowd[i]));
        MUST(shutdown(crowd[i].fd, SHUT_WR) == 0);
    }
}

static void leave(int count)
{
    while (present > 0)
        turn();
    for (int i = 0; i < count; i++)
        peer_free(&crowd[i]);
}

/* ---- the stretches */

static void newcomers(void)
{
    for (int measured = 0; measured < 2; measured++) { /* the first ones find the pools empty */
        knock(NEWCOMERS);
        measure_begin();
        shake_hands(NEWCOMERS);
        if (measured)
            measure_end("loop handshake", NEWCOMERS, 0);
        say_goodbye(NEWCOMERS);
        measure_begin();
        while (present > 0)
            turn();
        if (measured)
            measure_end("loop close", NEWCOMERS, 0);
        leave(NEWCOMERS);
    }
}

/** Everybody asks, and is answered, in each turn. */
static void requests(const char *name, int writes)
{
    records made[CROWD];
    for (int i = 0; i < CROWD; i++)
        made[i] = peer_makes(&crowd[i], TURNS + 1, SMALL);
    answers = writes;
    for (long t = 0; t <= TURNS; t++) {
        if (t == 1)
            measure_begin();
        for (int i = 0; i < CROWD; i++)
            MUST(peer_sends(&crowd[i], made[i].bytes + (size_t)t * made[i].length, made[i].length) == made[i].length);
        for (received = 0; received < SMALL * CROWD;)
            turn();
        for (int i = 0; i < CROWD; i++)
            MUST(peer_drops(&crowd[i]) > SMALL);
    }
    measure_end(name, (long)CROWD * TURNS * writes, SMALL);
    for (int i = 0; i < CROWD; i++)
        free(made[i].bytes);
}

static void idle_turns(const char *name)
{
    measure_begin();
    for (long i = 0; i < SMALL_COUNT; i++) {
        MUST(tlsmem_loop_wake(loop) == TLSMEM_OK);
        turn();
    }
    measure_end(name, SMALL_COUNT, 0);
}

void measure_loop(int version)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.handshake_ms = limits.close_ms = 600000; /* whoever watches makes it slow */
    tlsmem_ctx *ctx = context_limited(TLSMEM_SERVER, version, &limits);
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    client_ctx = peer_context(TLSMEM_CLIENT, version);
    loop = new_loop();
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    MUST(loop != NULL && tlsmem_loop_listen(loop, ctx, &options, &listener) == TLSMEM_OK);
    newcomers();
    knock(CROWD);
    shake_hands(CROWD);
    requests("loop echo 64", 1);
    requests("loop gathered 64", 16);
    idle_turns("loop idle turn");
    say_goodbye(CROWD);
    leave(CROWD);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    SSL_CTX_free(client_ctx);
}
