/*
 * The pair of the test kit: a protocol of pattern bytes, both ways, over every fault, in a time of its own. What a network
 * does ends as the header says, at the moment of the deadline that is for it, and the whole of it takes no time.
 */
#define _GNU_SOURCE
#include "pairs.h"

#include <time.h>

tlsmem_ctx *client_ctx, *server_ctx;
tlsmem_pair *pair;
party parties[2];

static void send_more(party *p)
{
    static unsigned char bytes[16384];
    while (p->sent < p->to_send) {
        size_t n = p->to_send - p->sent < sizeof bytes ? (size_t)(p->to_send - p->sent) : sizeof bytes;
        pattern_fill(bytes, p->number, p->sent, n);
        ptrdiff_t taken = tlsmem_write(p->c, bytes, n);
        if (taken <= 0)
            return;
        p->sent += (uint64_t)taken;
    }
    if (!p->stays_open)
        tlsmem_close(p->c);
}

static void on_established(tlsmem *c, void *user)
{
    party *p = user;
    p->established++;
    CHECK_STATUS(tlsmem_pair_run(pair, 1), TLSMEM_ESTATE); /* it is running */
    CHECK_STATUS(tlsmem_pair_step(pair), TLSMEM_ESTATE);
    send_more(p);
    if (p->frees == FREES_ESTABLISHED)
        tlsmem_free(c);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    party *p = user;
    p->wrong += pattern_differs(bytes, !p->number, p->received, n) != n;
    p->received += n;
    if (p->answers)
        IGNORE(tlsmem_write(c, "x", 1));
    if (p->frees == FREES_DATA)
        tlsmem_free(c);
    if (p->frees == FREES_PAIR)
        tlsmem_pair_free(pair);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)c;
    send_more(user);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    party *p = user;
    p->closes++;
    p->status = report->status;
    p->closed_at = tlsmem_pair_time(pair);
    if (p->frees == FREES_CLOSE)
        tlsmem_free(c);
}

void open_pair(uint64_t to_send)
{
    static const tlsmem_callbacks cb = { sizeof cb, on_established, on_data, on_drain, NULL, on_close };
    pair = tlsmem_pair_new(server_ctx, client_ctx);
    MUST(pair != NULL);
    memset(parties, 0, sizeof parties);
    for (int i = 0; i < 2; i++) {
        parties[i] = (party){ .c = tlsmem_pair_end(pair, i), .number = (uint32_t)i, .to_send = to_send, .status = 1 };
        MUST(tlsmem_set_callbacks(parties[i].c, &cb, &parties[i]) == TLSMEM_OK);
    }
    MUST(tlsmem_set_server_name(parties[1].c, "localhost") == TLSMEM_OK);
}

void set_faults(int side, const tlsmem_wire_faults *faults)
{
    MUST(tlsmem_wire_set_faults(tlsmem_pair_wire(pair, side), faults) == TLSMEM_OK);
}

void contexts(int version, const tlsmem_limits *limits)
{
    tlsmem_limits usual = TLSMEM_LIMITS_INIT;
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    client_ctx = context_limited(TLSMEM_CLIENT, version, limits == NULL ? &usual : limits);
    server_ctx = context_limited(TLSMEM_SERVER, version, limits == NULL ? &usual : limits);
}

static int64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ends_with(int server, int client)
{
    CHECK_STATUS(parties[0].status, server);
    CHECK_STATUS(parties[1].status, client);
    CHECK(parties[0].closes == 1 && parties[1].closes == 1, "on_close %d and %d times", parties[0].closes, parties[1].closes);
    CHECK(parties[0].wrong == 0 && parties[1].wrong == 0, "wrong bytes");
}

static void all_delivered(uint64_t n)
{
    for (int i = 0; i < 2; i++)
        CHECK(parties[i].sent == n && parties[i].received == n, "party %d sent %llu and received %llu of %llu", i,
              (unsigned long long)parties[i].sent, (unsigned long long)parties[i].received, (unsigned long long)n);
}

static void without_faults(int version)
{
    situation("no faults, TLS 1.%d", version - 0x0301);
    open_pair(100000);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    ends_with(TLSMEM_OK, TLSMEM_OK);
    all_delivered(100000);
    CHECK(tlsmem_pair_time(pair) == 0, "it took %lld ms", (long long)tlsmem_pair_time(pair));
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    tlsmem_pair_free(pair);

    situation("step by step, TLS 1.%d", version - 0x0301);
    open_pair(1);
    int steps = 0;
    while (tlsmem_pair_step(pair) == TLSMEM_PAIR_MOVED)
        steps++;
    CHECK(steps > 2 && steps < 50, "%d steps", steps);
    ends_with(TLSMEM_OK, TLSMEM_OK);
    tlsmem_pair_free(pair);
}

/** What all of it comes to, for a seed. */
static uint64_t random_faults(uint64_t seed, int version)
{
    seeded random = { seed };
    MUST(tlsmem_insecure_randomness(seed) == TLSMEM_OK);
    contexts(version, NULL);
    uint64_t n = seeded_size(&random, 60000), hash = 0;
    open_pair(n);
    for (int side = 0; side < 2; side++) {
        tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT;
        faults.seed = seeded_next(&random);
        faults.capacity = 1 + seeded_size(&random, 40000);
        faults.chunk_most = seeded_next(&random) % 2 * (20 + seeded_size(&random, 5000));
        faults.delay_most_ms = (uint32_t)(seeded_next(&random) % 2 * seeded_size(&random, 40));
        faults.refuse_permille = (uint32_t)(seeded_next(&random) % 3 == 0 ? seeded_size(&random, 500) : 0);
        set_faults(side, &faults);
    }
    /* A byte at a time, with delays, takes longer than the usual deadlines. */
    for (int which = TLSMEM_TIMEOUT_HANDSHAKE; which <= TLSMEM_TIMEOUT_CLOSE; which++)
        for (int side = 0; side < 2; side++)
            MUST(tlsmem_set_timeout(parties[side].c, (tlsmem_timeout)which, 0) == TLSMEM_OK);
    int outcome = tlsmem_pair_run(pair, INT64_MAX);
    CHECK(outcome == TLSMEM_PAIR_DONE, "seed %llu, TLS 1.%d: outcome %d", (unsigned long long)seed, version - 0x0301, outcome);
    ends_with(TLSMEM_OK, TLSMEM_OK);
    all_delivered(n);
    for (int side = 0; side < 2; side++) {
        tlsmem_wire_stats_info stats = TLSMEM_WIRE_STATS_INFO_INIT;
        MUST(tlsmem_wire_stats(tlsmem_pair_wire(pair, side), &stats) == TLSMEM_OK);
        hash = (hash ^ stats.moves << 40 ^ stats.refusals << 20 ^ stats.bytes_put) * 1099511628211u;
    }
    hash ^= (uint64_t)tlsmem_pair_time(pair);
    tlsmem_pair_free(pair);
    return hash;
}

static void every_seed(void)
{
    int seeds = (int)setting("PAIRS_SEEDS", short_run() ? 4 : 40);
    situation("random faults, %d seeds", seeds);
    for (int seed = 1; seed <= seeds; seed++) {
        int version = seed % 2 ? TLSMEM_TLS1_3 : TLSMEM_TLS1_2;
        uint64_t hash = random_faults((uint64_t)seed, version);
        CHECK(random_faults((uint64_t)seed, version) == hash, "seed %d: the second time it is another", seed);
    }
}

static void ends(int version)
{
    int tls = version - 0x0301;
    const tlsmem_wire_faults none = TLSMEM_WIRE_FAULTS_INIT;
    tlsmem_wire_faults faults;

    situation("a stall in the handshake, TLS 1.%d", tls);
    contexts(version, NULL);
    int64_t began = real_ms();
    open_pair(1000);
    faults = none;
    set_faults(0, (faults.stall_after = 100, &faults));
    CHECK_STATUS(tlsmem_pair_run(pair, 5000), TLSMEM_PAIR_TIME);
    CHECK(tlsmem_pair_time(pair) == 5000, "it is %lld", (long long)tlsmem_pair_time(pair));
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    ends_with(TLSMEM_ETIMEOUT, TLSMEM_ETIMEOUT);
    CHECK(parties[0].closed_at == 10000 && parties[1].closed_at == 10000, "at %lld and %lld",
          (long long)parties[0].closed_at, (long long)parties[1].closed_at);
    CHECK(real_ms() - began < 5000, "it took %lld ms", (long long)(real_ms() - began));
    tlsmem_pair_free(pair);

    situation("a stall that ends, TLS 1.%d", tls);
    open_pair(1000);
    set_faults(0, &faults);
    CHECK_STATUS(tlsmem_pair_run(pair, 9999), TLSMEM_PAIR_TIME);
    set_faults(0, &none);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    ends_with(TLSMEM_OK, TLSMEM_OK);
    tlsmem_pair_free(pair);

    situation("a cut in the handshake, TLS 1.%d", tls);
    open_pair(1000);
    faults = none;
    set_faults(0, (faults.cut_after = 100, &faults));
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    ends_with(TLSMEM_EHANDSHAKEEOF, TLSMEM_EHANDSHAKEEOF);
    tlsmem_pair_free(pair);

    situation("a cut in the data, TLS 1.%d", tls);
    open_pair(50000);
    parties[0].stays_open = parties[1].stays_open = 1;
    set_faults(0, (faults.cut_after = 30000, &faults));
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    CHECK(parties[1].status == TLSMEM_ETRUNCATED && parties[1].received < 50000 && parties[1].received > 10000,
          "%s after %llu", tlsmem_status_name(parties[1].status), (unsigned long long)parties[1].received);
    tlsmem_pair_free(pair);

    situation("a reset in the data, TLS 1.%d", tls);
    open_pair(50000);
    parties[0].stays_open = parties[1].stays_open = 1;
    faults = none;
    set_faults(1, (faults.reset_after = 30000, &faults));
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    ends_with(TLSMEM_ERESET, TLSMEM_ERESET);
    tlsmem_pair_free(pair);

    situation("a reset and a cut by a call, TLS 1.%d", tls);
    for (int cut = 0; cut < 2; cut++) {
        open_pair(0);
        parties[0].stays_open = parties[1].stays_open = 1;
        CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_STALLED);
        CHECK(parties[0].established == 1 && parties[1].established == 1, "not established");
        CHECK_STATUS(cut ? tlsmem_wire_end(tlsmem_pair_wire(pair, 0)) : tlsmem_wire_reset(tlsmem_pair_wire(pair, 0)), TLSMEM_OK);
        CHECK(tlsmem_pair_run(pair, INT64_MAX) != TLSMEM_PAIR_MOVED && parties[1].status == (cut ? TLSMEM_ETRUNCATED
              : TLSMEM_ERESET), "%s", tlsmem_status_name(parties[1].status));
        tlsmem_pair_free(pair);
    }

    situation("a flipped bit, TLS 1.%d", tls);
    open_pair(50000);
    parties[0].stays_open = parties[1].stays_open = 1;
    faults = none;
    set_faults(1, (faults.flip_at = 20000, &faults));
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MAX), TLSMEM_PAIR_DONE);
    ends_with(TLSMEM_EPROTOCOL, TLSMEM_EALERT);
    tlsmem_pair_free(pair);
}

int main(void)
{
    begin("pairs");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++) {
        contexts(version, NULL);
        without_faults(version);
        ends(version);
        waiting(version);
        keys(version);
        freeing(version);
    }
    every_seed();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
