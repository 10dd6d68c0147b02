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

void null_kit(void)
{
    null_wires();
    wrong_faults();
}
