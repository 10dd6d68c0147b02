/*
 * Seeds for the fuzzers of first flights: for each kind of context, what a peer that means well sends to it. The peer is
 * another process, because both would take their random numbers from one seed; so what it says holds again when an input
 * says it, to the last encrypted record.
 *
 *   seeds_first_flight_server FOLDER
 */
#include "flight.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/** What the other end is like. */
typedef struct {
    const char *name;
    unsigned which, flags;
    int newest;            /* version; 0 for both */
    const char *alpn, *server_name, *groups;
    int has_psk, has_cert; /* its certificate: 0 none, 1 EC, 2 Ed25519 */
    int comes_back, early, renegotiates, closes;
} row;

static const row servers[] = {
    { .name = "tls13", .which = 0, .alpn = "h2", .server_name = "fuzz.example", .closes = 1 },
    { .name = "tls12", .which = 0, .newest = TLSMEM_TLS1_2, .alpn = "http/1.1", .server_name = "fuzz.example", .closes = 1 },
    { .name = "alpn-none", .which = 0, .alpn = "other" },
    { .name = "psk13", .which = 1, .has_psk = 1 },
    { .name = "psk12", .which = 1, .has_psk = 1, .newest = TLSMEM_TLS1_2, .closes = 1 },
    { .name = "hello", .which = 2, .alpn = "h2", .server_name = "a.other.example", .closes = 1 },
    { .name = "hello-later", .which = 2, .flags = FLIGHT_LATER, .alpn = "h2", .server_name = "fuzz.example" },
    { .name = "hello-refused", .which = 2, .server_name = "refused.example" },
    { .name = "mutual13", .which = 3, .has_cert = 1, .closes = 1 },
    { .name = "mutual12", .which = 3, .has_cert = 1, .newest = TLSMEM_TLS1_2 },
    { .name = "mutual-none", .which = 3 },
    { .name = "early", .which = 4, .comes_back = 1, .early = 1, .server_name = "fuzz.example", .closes = 1 },
    { .name = "back12", .which = 4, .comes_back = 1, .newest = TLSMEM_TLS1_2, .server_name = "fuzz.example" },
    { .name = "store", .which = 5, .closes = 1 },
    { .name = "renegotiation", .which = 6, .renegotiates = 1, .newest = TLSMEM_TLS1_2 },
    { .name = "signed", .which = 7, .closes = 1 },
    { .name = "psk-asked", .which = 8, .flags = FLIGHT_LATER, .has_psk = 1 },
    { .name = "ticket-key", .which = 9, .comes_back = 1, .server_name = "fuzz.example" },
    { .name = "verdict", .which = 10, .has_cert = 2, .flags = FLIGHT_LATER },
    { .name = "other-share", .which = 11, .groups = "X25519:P-384", .flags = FLIGHT_PULL },
    { .name = "other-share-2", .which = 11, .groups = "P-256:P-384", .flags = FLIGHT_WRITE },
};

static const row clients[] = {
    { .name = "tls13", .which = 0, .alpn = "h2", .closes = 1 },
    { .name = "tls12", .which = 0, .newest = TLSMEM_TLS1_2, .alpn = "http/1.1", .closes = 1 },
    { .name = "insecure", .which = 1, .flags = FLIGHT_PULL },
    { .name = "psk13", .which = 2, .has_psk = 1 },
    { .name = "psk12", .which = 2, .has_psk = 1, .newest = TLSMEM_TLS1_2 },
    { .name = "address", .which = 3, .closes = 1 },
    { .name = "asks13", .which = 4, .has_cert = 1, .closes = 1 },
    { .name = "back12", .which = 5, .comes_back = 1, .closes = 1 },
    { .name = "back13", .which = 6, .comes_back = 1, .closes = 1 },
    { .name = "cert-asked", .which = 7, .has_cert = 1, .flags = FLIGHT_LATER },
    { .name = "verdict", .which = 8, .flags = FLIGHT_LATER },
    { .name = "psk-asked", .which = 9, .has_psk = 2 },
    { .name = "renegotiation", .which = 10, .renegotiates = 1, .newest = TLSMEM_TLS1_2 },
    { .name = "other-share", .which = 11, .groups = "X25519", .alpn = "a", .flags = FLIGHT_WRITE },
    { .name = "alpn-none", .which = 11, .flags = FLIGHT_END },
};

static FILE *seed;
static int fd = -1;

/* ---- the other process */

static void on_established(tlsmem *c, void *user)
{
    const row *r = user;
    SAY(c, "ping");
    if (r->renegotiates)
        IGNORE(tlsmem_renegotiate(c));
    else
        IGNORE(tlsmem_key_update(c, 1));
    SAY(c, "pong");
    if (r->closes)
        tlsmem_close(c);
}

static tlsmem_session *last_session;

static void keep(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)bytes, (void)n, (void)user;
    tlsmem_session_free(last_session);
    last_session = tlsmem_session_get(c);
}

/** A session that the server of the fuzzer has given. */
static void meet_before(tlsmem_ctx *client, tlsmem_ctx *server, const char *name)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_pair *pair = tlsmem_pair_new(client, server);
    tlsmem *c = tlsmem_pair_end(pair, 0);
    callbacks.on_data = keep;
    MUST(tlsmem_set_callbacks(c, &callbacks, NULL) == TLSMEM_OK && tlsmem_set_server_name(c, name) == TLSMEM_OK);
    SAY(tlsmem_pair_end(pair, 1), "with tickets");
    MUST(tlsmem_pair_run(pair, 1000) >= 0 && last_session != NULL);
    tlsmem_pair_free(pair);
}

/** The peer lives until its connection has nothing more to say. */
static void be_the_other(const row *r)
{
    int is_server = fuzzed.role == TLSMEM_CLIENT, ok = TLSMEM_OK;
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    extern tlsmem_ctx *session_servers[2] __attribute__((weak));
    world_begin(100 + r->which);
    tlsmem_ctx *ctx = context(is_server ? TLSMEM_SERVER : TLSMEM_CLIENT, is_server ? 0 : r->has_cert - 1);
    if (is_server && r->comes_back)
        ctx = session_servers[r->which == 6];
    else {
        ok |= r->newest == 0 ? 0 : tlsmem_ctx_set_max_version(ctx, r->newest);
        ok |= r->newest == 0 || r->which == 2 ? 0 : tlsmem_ctx_set_renegotiation(ctx, 1);
        ok |= r->alpn == NULL ? 0 : tlsmem_ctx_set_alpn(ctx, r->alpn);
        ok |= r->groups == NULL ? 0 : tlsmem_ctx_set_groups(ctx, r->groups);
        ok |= r->has_psk == 0 ? 0 : tlsmem_ctx_set_psk(ctx, r->has_psk == 2 ? "asked" : "fuzz", r->which == 8 ?
            "ssssssssssssssss" : "0123456789abcdef", 16);
        ok |= is_server && r->has_cert ? tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL) : 0;
    }
    MUST(ok == TLSMEM_OK);
    if (!is_server && r->comes_back)
        meet_before(ctx, flight_context(r->which), r->server_name);
    world_begin(200 + r->which);
    callbacks.on_established = on_established;
    tlsmem *c = tlsmem_new(ctx, &callbacks, (void *)r);
    if (!is_server) {
        MUST(tlsmem_set_server_name(c, r->server_name != NULL ? r->server_name : "fuzz.example") == TLSMEM_OK);
        MUST(!r->comes_back || tlsmem_session_set(c, last_session) == TLSMEM_OK);
        MUST(!r->early || tlsmem_write_early(c, "early", 5) == 5);
    }
    tlsmem_loop *loop = tlsmem_loop_new();
    MUST(tlsmem_loop_add(loop, c, fd) == TLSMEM_OK);
    world_end();
    /* The fuzzer's side is done when it hears nothing for a while: this one ends when it is cut off. */
    for (int turns = 0; turns < 500 && tlsmem_fd(c) >= 0 && tlsmem_loop_run_once(loop, 3000) > 0; turns++)
        ;
    fprintf(stderr, "  the peer of %s was %s\n", r->name, tlsmem_is_established(c) ? "established" : "not established");
    _exit(0);
}

/* ---- the fuzzer's side */

static size_t hear(void *user, uint8_t *bytes, size_t n)
{
    (void)user;
    struct pollfd p = { fd, POLLIN, 0 };
    ssize_t got = poll(&p, 1, 700) == 1 ? recv(fd, bytes, n, MSG_DONTWAIT) : 0;
    if (got <= 0)
        return 0;
    fwrite(bytes, 1, (size_t)got, seed);
    return (size_t)got;
}

static void say(void *user, const void *bytes, size_t n)
{
    (void)user;
    IGNORE(send(fd, bytes, n, MSG_NOSIGNAL) < 0);
}

static void record(const char *folder, const row *r)
{
    char path[4096];
    int both[2];
    snprintf(path, sizeof path, "%s/%s", folder, r->name);
    seed = fopen(path, "wb");
    MUST(seed != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
    fputc((int)r->which, seed), fputc((int)r->flags, seed), fputc(20, seed);
    IGNORE(flight_context(r->which) == NULL);
    fflush(NULL);
    pid_t child = fork();
    MUST(child >= 0);
    fd = both[child == 0], close(both[child != 0]);
    if (child == 0)
        be_the_other(r);
    outcome o = flight_once(r->which, r->flags, &(peer){ hear, say, NULL });
    close(fd);
    fclose(seed);
    waitpid(child, NULL, 0);
    fprintf(stderr, "%s: established %d, %zu bytes sent, %zu bytes of data, %s\n", r->name, o.established, o.sent, o.data,
            tlsmem_status_name(o.status));
}

int main(int argc, char **argv)
{
    const row *rows = fuzzed.role == TLSMEM_SERVER ? servers : clients;
    size_t count = fuzzed.role == TLSMEM_SERVER ? sizeof servers / sizeof *rows : sizeof clients / sizeof *rows;
    MUST(argc == 2);
    for (size_t i = 0; i < count; i++)
        record(argv[1], &rows[i]);
    return 0;
}
