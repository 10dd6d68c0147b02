/* The test kit while OpenSSL runs out of memory: a pair is made or not, and a wire has taken what it says. */
#include "alloc.h"

enum { BYTES = 20000 };
static tlsmem_ctx *from, *to;
static unsigned char sent[BYTES], got[2 * BYTES];

/** Has a pair carry bytes, with one allocation failing. Returns whether they came. */
static int carry(long at, int all)
{
    size_t n = 0;
    ptrdiff_t taken = 0, read;
    allocations = failures = 0;
    fail_all = all;
    fail_at = at;
    tlsmem_pair *pair = tlsmem_pair_new(from, to);
    CHECK(pair != NULL || failures > 0, "there is no pair");
    tlsmem *client = tlsmem_pair_end(pair, 0), *server = tlsmem_pair_end(pair, 1);
    if (pair != NULL && tlsmem_set_server_name(client, "localhost") == TLSMEM_OK) {
        taken = tlsmem_write(client, sent, sizeof sent);
        int outcome = tlsmem_pair_run(pair, INT64_MAX);
        CHECK(outcome == TLSMEM_PAIR_DONE || outcome == TLSMEM_PAIR_STALLED, "it came to rest with %d", outcome);
        while ((read = tlsmem_read(server, got + n, sizeof got - n)) > 0)
            n += (size_t)read;
    }
    fail_at = fail_all = 0;
    CHECK(n <= BYTES && memcmp(got, sent, n) == 0, "%zu bytes, or other ones", n);
    CHECK(n == BYTES || failures > 0, "%zu bytes, and nothing has failed", n);
    tlsmem_pair_free(pair);
    return taken == BYTES && n == BYTES;
}

/** Both connections are there, or neither. */
static void made(void)
{
    situation("a pair that is made");
    allocations = 0;
    tlsmem_pair_free(tlsmem_pair_new(from, to));
    long count = allocations;
    for (long i = 1; i <= count; i++) {
        situation("a pair, allocation %ld of the %ld that make it fails", i, count);
        long before = live;
        allocations = failures = 0;
        fail_at = i;
        tlsmem_pair *pair = tlsmem_pair_new(from, to);
        fail_at = 0;
        CHECK(pair == NULL && failures == 1, "it was made");
        tlsmem_pair_free(pair);
        CHECK(live == before, "%ld blocks before, %ld after", before, live);
    }
}

static void carried(int all)
{
    situation("a pair, all allocations succeed");
    CHECK(carry(0, 0) && carry(0, 0), "the bytes did not come");
    long count = allocations, stride = count / setting("ALLOC_MOST", 200) + 1, before = live, survived = 0, tried = 0;
    for (long i = 1; i <= count; i += stride, tried++) {
        situation("a pair, allocation %ld of %ld fails%s", i, count, all ? ", and all behind it" : "");
        survived += carry(i, all);
    }
    situation("pairs, after the failures");
    CHECK(survived < tried && carry(0, 0), "no failed allocation made a difference, or it lasts");
    CHECK(live < before + 128, "%ld blocks before, %ld after: something leaks", before, live);
}

static void wire(void)
{
    situation("a wire");
    tlsmem_wire *wire = tlsmem_wire_new(NULL);
    MUST(wire != NULL);
    allocations = failures = 0;
    fail_at = 1;
    CHECK_STATUS(tlsmem_wire_put(wire, sent, 100, 0), TLSMEM_ENOMEM);
    fail_at = 0;
    CHECK(tlsmem_wire_in_flight(wire) == 0 && tlsmem_wire_ready_at(wire) == -1, "it has taken what it refused");
    CHECK_STATUS(tlsmem_wire_put(wire, sent, 100, 0), 100);
    CHECK(tlsmem_wire_take(wire, got, sizeof got, 0) == 100 && memcmp(got, sent, 100) == 0, "other bytes");
    tlsmem_wire_free(wire);
}

void test_kit(void)
{
    from = context(TLSMEM_CLIENT, 0), to = context(TLSMEM_SERVER, 0);
    pattern_fill(sent, 1, 0, sizeof sent);
    carried(0);
    carried(1);
    made();
    wire();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}
