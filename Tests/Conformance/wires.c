/*
 * The wire of the test kit: each fault by itself, and all of them at random. Bytes arrive in order and once, or are
 * counted as lost; the same seed makes the same faults.
 */
#define _GNU_SOURCE
#include "wires.h"

#include <poll.h>

unsigned char bytes[65536];

tlsmem_wire *with(tlsmem_wire_faults faults)
{
    tlsmem_wire *wire = tlsmem_wire_new(&faults);
    MUST(wire != NULL);
    return wire;
}
/** A wire with these faults. */
#define WITH(...)                                        \
    ({                                                   \
        tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT; \
        __VA_ARGS__;                                     \
        with(faults);                                    \
    })

tlsmem_wire_stats_info stats_of(const tlsmem_wire *wire)
{
    tlsmem_wire_stats_info stats = TLSMEM_WIRE_STATS_INFO_INIT;
    MUST(tlsmem_wire_stats(wire, &stats) == TLSMEM_OK);
    return stats;
}

static int takes(tlsmem_wire *wire, const char *expected, int64_t now)
{
    ptrdiff_t n = tlsmem_wire_take(wire, bytes, sizeof bytes, now);
    return n == (ptrdiff_t)strlen(expected) && memcmp(bytes, expected, (size_t)n) == 0;
}

static void without_faults(void)
{
    situation("a wire without faults");
    tlsmem_wire *wire = tlsmem_wire_new(NULL);
    CHECK(tlsmem_wire_ready_at(wire) == -1 && tlsmem_wire_ready(wire, 5) == POLLOUT, "it is not empty");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 1, 5), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_wire_put(wire, "one ", 4, 5), 4);
    CHECK_STATUS(tlsmem_wire_put(wire, "two", 3, 6), 3);
    CHECK_STATUS(tlsmem_wire_in_flight(wire), 7);
    CHECK(tlsmem_wire_ready_at(wire) == 5 && tlsmem_wire_ready(wire, 6) == (POLLIN | POLLOUT), "nothing is ready");
    CHECK(takes(wire, "one two", 6), "two pieces are not taken in one");
    CHECK_STATUS(tlsmem_wire_put(wire, "end", 3, 7), 3);
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_OK);
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_OK);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", 1, 7), TLSMEM_ESTATE);
    CHECK(tlsmem_wire_ready(wire, 7) == (POLLIN | POLLOUT | POLLRDHUP), "the end has not arrived");
    CHECK(takes(wire, "end", 7) && takes(wire, "", 7) && takes(wire, "", 7), "the end is not the end");
    CHECK(tlsmem_wire_ready_at(wire) == 7, "the end is not ready any more");
    CHECK_STATUS(tlsmem_wire_reset(wire), TLSMEM_OK);
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 1, 8), TLSMEM_ERESET);
    tlsmem_wire_free(wire);
}

static void capacity_and_chunks(void)
{
    situation("capacity");
    tlsmem_wire *wire = WITH(faults.capacity = 10);
    CHECK_STATUS(tlsmem_wire_put(wire, "0123456789abc", 13, 0), 10);
    CHECK_STATUS(tlsmem_wire_put(wire, "abc", 3, 0), TLSMEM_AGAIN);
    CHECK(tlsmem_wire_ready(wire, 0) == POLLIN && stats_of(wire).full == 1, "it has room");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 4, 0), 4);
    CHECK_STATUS(tlsmem_wire_put(wire, "abcdef", 6, 0), 4);
    CHECK(takes(wire, "456789abcd", 0), "what was put is not what is taken");
    CHECK(tlsmem_wire_put(wire, bytes, 10, 0) == 10 && tlsmem_wire_end(wire) == TLSMEM_OK, "it is not full and ended");
    CHECK(tlsmem_wire_ready(wire, 0) == (POLLIN | POLLOUT | POLLRDHUP), "put has an answer, and is not ready");
    tlsmem_wire_free(wire);

    situation("capacity that nobody set");
    wire = tlsmem_wire_new(NULL);
    CHECK_STATUS(tlsmem_wire_put(wire, bytes, sizeof bytes, 0), 65536);
    CHECK_STATUS(tlsmem_wire_put(wire, bytes, 1, 0), TLSMEM_AGAIN);
    tlsmem_wire_free(wire);

    situation("chunks");
    wire = WITH(faults.chunk_least = 2, faults.chunk_most = 5);
    int seen[6] = { 0 };
    for (int i = 0; i < 200; i++) {
        ptrdiff_t put = tlsmem_wire_put(wire, bytes, 100, i), taken;
        CHECK(put >= 2 && put <= 5, "%td were put", put);
        for (size_t left; (left = tlsmem_wire_in_flight(wire)) > 0 && (taken = tlsmem_wire_take(wire, bytes, 100, i)) > 0;) {
            CHECK(taken <= 5 && (taken >= 2 || left < 2), "%td were taken", taken);
            seen[taken]++;
        }
    }
    CHECK(seen[2] > 9 && seen[3] > 9 && seen[4] > 9 && seen[5] > 9, "%d, %d, %d, %d", seen[2], seen[3], seen[4], seen[5]);
    CHECK(stats_of(wire).cuts >= 200, "%llu were cut", (unsigned long long)stats_of(wire).cuts);
    tlsmem_wire_free(wire);
}

static void delays(void)
{
    situation("a delay");
    tlsmem_wire *wire = WITH(faults.delay_least_ms = 10, faults.delay_most_ms = 10);
    CHECK_STATUS(tlsmem_wire_put(wire, "a", 1, 100), 1);
    CHECK_STATUS(tlsmem_wire_put(wire, "b", 1, 105), 1);
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_OK);
    CHECK(tlsmem_wire_ready_at(wire) == 110 && tlsmem_wire_ready(wire, 109) == POLLOUT, "it is ready before its time");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 109), TLSMEM_AGAIN);
    CHECK(takes(wire, "a", 114) && tlsmem_wire_ready_at(wire) == 115, "a");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 114), TLSMEM_AGAIN);
    CHECK(takes(wire, "b", 115) && takes(wire, "", 115), "b");
    CHECK(stats_of(wire).delays == 2, "%llu delays", (unsigned long long)stats_of(wire).delays);
    tlsmem_wire_free(wire);

    situation("a delay to behind the last moment");
    wire = WITH(faults.delay_least_ms = 10, faults.delay_most_ms = 10);
    CHECK(tlsmem_wire_put(wire, "a", 1, INT64_MAX - 5) == 1 && tlsmem_wire_ready(wire, 0) == POLLOUT, "it arrived at once");
    tlsmem_wire_free(wire);

    situation("delays at random: nothing overtakes");
    wire = WITH(faults.seed = 7, faults.delay_most_ms = 50);
    int64_t before = -1;
    for (int i = 0; i < 26; i++)
        CHECK_STATUS(tlsmem_wire_put(wire, &"abcdefghijklmnopqrstuvwxyz"[i], 1, i), 1);
    for (int i = 0; i < 26; i++) { /* one after the other: what can be taken later was not there before */
        int64_t now = tlsmem_wire_ready_at(wire);
        CHECK(now >= before, "letter %d at %lld after %lld", i, (long long)now, (long long)before);
        if (!CHECK(tlsmem_wire_take(wire, bytes, 1, before = now) == 1 && bytes[0] == 'a' + i, "letter %d", i))
            break;
    }
    CHECK(before > 26, "the last arrived at %lld", (long long)before);
    tlsmem_wire_free(wire);
}

static void refusals(void)
{
    situation("refusals");
    tlsmem_wire *wire = WITH(faults.seed = 3, faults.refuse_permille = 500);
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
        while (tlsmem_wire_put(wire, "x", 1, i) != 1)
            refused++;
        CHECK(tlsmem_wire_ready(wire, i) & POLLIN, "a refusal is said beforehand");
        while (tlsmem_wire_take(wire, bytes, 1, i) != 1)
            refused++;
        CHECK_STATUS(tlsmem_wire_take(wire, bytes, 1, i), TLSMEM_AGAIN); /* empty: no refusal */
    }
    CHECK(refused > 1600 && refused < 2400 && stats_of(wire).refusals == (uint64_t)refused, "%d were refused", refused);

    situation("faults that are set anew: chance begins anew, too");
    tlsmem_wire_faults same = TLSMEM_WIRE_FAULTS_INIT;
    same.seed = 3;
    same.refuse_permille = 500;
    tlsmem_wire *fresh = with(same);
    CHECK_STATUS(tlsmem_wire_set_faults(wire, &same), TLSMEM_OK);
    for (int i = 0; i < 100; i++)
        CHECK(tlsmem_wire_put(wire, "x", 1, i) == tlsmem_wire_put(fresh, "x", 1, i), "put %d has another fate", i);
    tlsmem_wire_free(fresh);
    tlsmem_wire_free(wire);
}

static void stalls(void)
{
    situation("a stall, and its end");
    tlsmem_wire_faults none = TLSMEM_WIRE_FAULTS_INIT;
    tlsmem_wire *wire = WITH(faults.stall_after = 4, faults.capacity = 8);
    CHECK_STATUS(tlsmem_wire_put(wire, "abcdefgh", 8, 0), 8);
    CHECK(takes(wire, "abcd", 0), "what is before the stall");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 1000000), TLSMEM_AGAIN);
    CHECK(tlsmem_wire_ready_at(wire) == -1 && tlsmem_wire_in_flight(wire) == 4, "it is not stalled");
    CHECK_STATUS(tlsmem_wire_put(wire, "ijklm", 5, 1), 4);
    CHECK_STATUS(tlsmem_wire_put(wire, "m", 1, 1), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_OK);
    CHECK(tlsmem_wire_ready(wire, 2) == POLLOUT, "the end has arrived");
    CHECK_STATUS(tlsmem_wire_set_faults(wire, &none), TLSMEM_OK);
    CHECK(takes(wire, "efghijkl", 3) && takes(wire, "", 3), "the stall has lost bytes");
    tlsmem_wire_free(wire);

    situation("a stall in front of the end, and of everything");
    wire = WITH(faults.stall_after = 0);
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_OK);
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 0), TLSMEM_AGAIN);
    CHECK(tlsmem_wire_ready_at(wire) == -1, "the end gets through");
    CHECK_STATUS(tlsmem_wire_reset(wire), TLSMEM_OK);
    CHECK(tlsmem_wire_ready_at(wire) == 0 && tlsmem_wire_ready(wire, 0) == (POLLIN | POLLOUT | POLLERR), "a reset does not");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 0), TLSMEM_ERESET);
    tlsmem_wire_free(wire);
}

static void cuts_and_resets(void)
{
    situation("a cut");
    tlsmem_wire *wire = WITH(faults.cut_after = 5);
    CHECK_STATUS(tlsmem_wire_put(wire, "abcdefgh", 8, 0), 8);
    CHECK_STATUS(tlsmem_wire_put(wire, "ij", 2, 0), 2);
    CHECK(takes(wire, "abcde", 0) && takes(wire, "", 0), "it is not cut at its place");
    CHECK(stats_of(wire).bytes_lost == 5 && stats_of(wire).bytes_put == 10, "what is lost");
    CHECK_STATUS(tlsmem_wire_set_faults(wire, NULL), TLSMEM_OK);
    CHECK(takes(wire, "", 0), "it has grown together again");
    tlsmem_wire_faults reset = TLSMEM_WIRE_FAULTS_INIT;
    reset.reset_after = 1;
    CHECK_STATUS(tlsmem_wire_set_faults(wire, &reset), TLSMEM_OK);
    CHECK(takes(wire, "", 0) && stats_of(wire).bytes_lost == 5, "a cut has become a reset");
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_OK);
    tlsmem_wire_free(wire);

    situation("a reset in its place");
    wire = WITH(faults.reset_after = 5, faults.cut_after = 6);
    CHECK_STATUS(tlsmem_wire_put(wire, "abcdefgh", 8, 0), 8);
    CHECK_STATUS(tlsmem_wire_put(wire, "i", 1, 0), TLSMEM_ERESET);
    CHECK_STATUS(tlsmem_wire_end(wire), TLSMEM_ERESET);
    CHECK(takes(wire, "abcde", 0), "what is before the reset");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 0), TLSMEM_ERESET);
    tlsmem_wire_free(wire);

    situation("a cut that is set when its place has passed");
    tlsmem_wire_faults cut = TLSMEM_WIRE_FAULTS_INIT;
    wire = tlsmem_wire_new(NULL);
    CHECK_STATUS(tlsmem_wire_put(wire, "abcdefgh", 8, 0), 8);
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 3, 0), 3);
    cut.cut_after = 1;
    CHECK_STATUS(tlsmem_wire_set_faults(wire, &cut), TLSMEM_OK);
    CHECK(takes(wire, "", 0) && tlsmem_wire_in_flight(wire) == 0 && stats_of(wire).bytes_lost == 5, "it is not cut");
    tlsmem_wire_free(wire);

    situation("a cut and a reset before the first byte");
    wire = WITH(faults.cut_after = 0);
    CHECK(tlsmem_wire_ready_at(wire) == 0 && takes(wire, "", 0), "it is only cut when something is put");
    tlsmem_wire_free(wire);
    wire = WITH(faults.reset_after = 0);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", 1, 0), TLSMEM_ERESET);
    tlsmem_wire_free(wire);

    situation("a reset at once");
    wire = tlsmem_wire_new(NULL);
    CHECK_STATUS(tlsmem_wire_put(wire, "abcdefgh", 8, 9), 8);
    CHECK_STATUS(tlsmem_wire_reset(wire), TLSMEM_OK);
    CHECK(tlsmem_wire_in_flight(wire) == 0 && stats_of(wire).bytes_lost == 8, "what was in flight");
    CHECK_STATUS(tlsmem_wire_take(wire, bytes, 9, 9), TLSMEM_ERESET);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", 1, 9), TLSMEM_ERESET);
    tlsmem_wire_free(wire);

    situation("a flipped bit");
    wire = WITH(faults.flip_at = 6, faults.chunk_most = 4);
    char all[12];
    size_t got = 0, put = 0;
    while (put < 12)
        put += (size_t)tlsmem_wire_put(wire, &"aaaaaaaaaaaa"[put], 12 - put, 0);
    while (got < 12)
        got += (size_t)tlsmem_wire_take(wire, all + got, 12 - got, 0);
    CHECK(memcmp(all, "aaaaaa`aaaaa", 12) == 0, "%.12s", all);
    tlsmem_wire_free(wire);
}

int main(void)
{
    begin("wires");
    without_faults();
    capacity_and_chunks();
    delays();
    refusals();
    stalls();
    cuts_and_resets();
    storms();
    return finish();
}
