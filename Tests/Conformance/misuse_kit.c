/* The test kit: NULL for the object of every function, and other wrong arguments. Beside misuse.c this file names functions of
 * the header (misuse_header.c). */
#include "misuse.h"

static int refused(tlsmem_wire_faults faults)
{
    tlsmem_wire *made = tlsmem_wire_new(&faults), *wire = tlsmem_wire_new(NULL);
    int good = made == NULL && tlsmem_wire_set_faults(wire, &faults) == TLSMEM_EINVAL;
    tlsmem_wire_free(made);
    tlsmem_wire_free(wire);
    return good;
}

static void wrong_faults(void)
{
    const tlsmem_wire_faults none = TLSMEM_WIRE_FAULTS_INIT;
    tlsmem_wire_faults faults;
    situation("faults that make no sense");
    static const size_t sizes[] = { 0, 1, sizeof none - 1, sizeof none + 1, NEGATIVE };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        CHECK((faults = none, faults.size = sizes[i], refused(faults)), "size %zu", sizes[i]);
    CHECK((faults = none, faults.capacity = TOO_LONG, refused(faults)), "capacity");
    CHECK((faults = none, faults.chunk_least = 2, faults.chunk_most = 1, refused(faults)), "chunks");
    CHECK((faults = none, faults.chunk_most = NEGATIVE, refused(faults)), "chunk_most");
    CHECK((faults = none, faults.delay_least_ms = 2, faults.delay_most_ms = 1, refused(faults)), "delays");
    CHECK((faults = none, faults.refuse_permille = 1000, refused(faults)), "refuse_permille");
}

static void null_wires(void)
{
    tlsmem_wire *wire = tlsmem_wire_new(NULL);
    tlsmem_wire_stats_info stats = TLSMEM_WIRE_STATS_INFO_INIT;
    char byte;
    situation("NULL for a wire, and for what it is given");
    tlsmem_wire_free(NULL);
    CHECK_STATUS(tlsmem_wire_set_faults(NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_put(NULL, "x", 1, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_take(NULL, &byte, 1, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_end(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_reset(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_in_flight(NULL), 0);
    CHECK_STATUS(tlsmem_wire_ready_at(NULL), -1);
    CHECK_STATUS(tlsmem_wire_ready(NULL, 0), 0);
    CHECK_STATUS(tlsmem_wire_stats(NULL, &stats), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_stats(wire, NULL), TLSMEM_EINVAL);
    stats.size = 0;
    CHECK_STATUS(tlsmem_wire_stats(wire, &stats), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_set_faults(wire, NULL), TLSMEM_OK);
    CHECK_STATUS(tlsmem_wire_put(wire, NULL, 1, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", NEGATIVE, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", TOO_LONG, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", 1, -1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_put(wire, NULL, 0, 0), 0);
    CHECK_STATUS(tlsmem_wire_take(wire, NULL, 1, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_take(wire, &byte, 0, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_take(wire, &byte, NEGATIVE, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_take(wire, &byte, 1, INT64_MIN), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_wire_take(wire, &byte, 1, INT64_MAX), TLSMEM_AGAIN);
    CHECK_STATUS(tlsmem_wire_put(wire, "x", 1, INT64_MAX), 1);
    CHECK_STATUS(tlsmem_wire_take(wire, &byte, 1, INT64_MAX), 1);
    tlsmem_wire_free(wire);
}

static void null_pairs(void)
{
    tlsmem_ctx *client = context(TLSMEM_CLIENT, 0), *server = context(TLSMEM_SERVER, 0);
    tlsmem_pair *pair = tlsmem_pair_new(client, server);
    char text[8];
    situation("NULL for a pair, and for what it is given");
    CHECK(tlsmem_pair_new(NULL, server) == NULL && tlsmem_pair_new(client, NULL) == NULL, "a pair of one");
    CHECK(tlsmem_pair_new(client, client) == NULL && tlsmem_pair_new(server, server) == NULL, "a pair of one role");
    tlsmem_pair_free(NULL);
    CHECK(tlsmem_pair_end(NULL, 0) == NULL && tlsmem_pair_wire(NULL, 1) == NULL, "the ends of nothing");
    for (int side = -1; side < 3; side++)
        CHECK((tlsmem_pair_end(pair, side) != NULL) == (side == 0 || side == 1)
              && (tlsmem_pair_wire(pair, side) != NULL) == (side == 0 || side == 1), "side %d", side);
    CHECK_STATUS(tlsmem_pair_time(NULL), -1);
    CHECK_STATUS(tlsmem_pair_step(NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_run(NULL, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_run(pair, -1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_run(pair, INT64_MIN), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_tell(NULL, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_tell(pair, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_tell(pair, text, 0), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_tell(pair, text, NEGATIVE), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_pair_tell(pair, text, 1), TLSMEM_OK);
    CHECK(text[0] == 0, "\"%s\" in one byte", text);
    tlsmem_pair_free(pair);
    tlsmem_ctx_free(client);
    tlsmem_ctx_free(server);
}

static void never_called(const void *bytes, size_t n, void *user)
{
    (void)bytes, (void)n;
    ++*(int *)user;
}

static void wrong_recordings(void)
{
    static const char *const bad[] = { "", "\n", "tlsmem recording 1", "tlsmem recording 2\n", "tlsmem recording 1\n0 in\n",
        "tlsmem recording 1\n0 in \n", "tlsmem recording 1\n0 in 0\n", "tlsmem recording 1\n0 in 0G\n",
        "tlsmem recording 1\n0 in 00", "tlsmem recording 1\nx in 00\n", "tlsmem recording 1\n-1 in 00\n",
        "tlsmem recording 1\n9999999999999999 end\n", "tlsmem recording 1\n0 end 1\n", "tlsmem recording 1\n0 error\n",
        "tlsmem recording 1\n0 error 0\n", "tlsmem recording 1\n0 error 99999999999\n", "tlsmem recording 1\n\n",
        "tlsmem recording 1\n0  end\n", "tlsmem recording 1\n0 out 00\n", "tlsmem recording 1\r\n" };
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    int called = 0;
    situation("recordings that are none");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(tlsmem_replay(c, bad[i], strlen(bad[i]), never_called, &called), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_replay(NULL, "tlsmem recording 1\n", 19, never_called, &called), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_replay(c, NULL, 1, never_called, &called), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_replay(c, "x", NEGATIVE, never_called, &called), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_set_record_cb(NULL, never_called, &called), TLSMEM_EINVAL);
    CHECK_STATUS(called, 0);
    CHECK_STATUS(tlsmem_set_record_cb(c, never_called, &called), TLSMEM_OK);
    CHECK_STATUS(tlsmem_set_record_cb(c, NULL, NULL), TLSMEM_OK);
    CHECK_STATUS(called, 1);
    CHECK_STATUS(tlsmem_replay(c, "tlsmem recording 1\n", 19, NULL, NULL), TLSMEM_OK);
    CHECK_STATUS(tlsmem_replay(c, "tlsmem recording 1\n", 19, NULL, NULL), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_feed(c, "x", 1), 1);
    CHECK_STATUS(tlsmem_set_record_cb(c, never_called, &called), TLSMEM_ESTATE);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    CHECK_STATUS(tlsmem_insecure_randomness(1), TLSMEM_OK);
}

void null_kit(void)
{
    null_wires();
    null_pairs();
    wrong_recordings();
    wrong_faults();
}
