/* Wires with every fault at random. */
#include "wires.h"

/** Random faults and random calls. Returns a hash of what happened. */
static uint64_t storm(uint64_t seed, uint64_t most)
{
    seeded random = { seed };
    tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT;
    faults.seed = seeded_next(&random);
    faults.capacity = seeded_size(&random, 30000);
    faults.chunk_most = seeded_next(&random) % 3 == 0 ? 0 : seeded_size(&random, 5000);
    faults.chunk_least = faults.chunk_most == 0 ? 0 : seeded_next(&random) % faults.chunk_most;
    faults.delay_most_ms = (uint32_t)(seeded_next(&random) % 2 * seeded_size(&random, 300));
    faults.refuse_permille = (uint32_t)(seeded_next(&random) % 2 * seeded_size(&random, 900));
    int ends = (int)(seeded_next(&random) % 4); /* by the writer, a cut, a reset, the writer again */
    uint64_t place = ends == 1 || ends == 2 ? seeded_next(&random) % most : most, hash = seed, put = 0, taken = 0;
    if (ends == 1)
        faults.cut_after = place;
    if (ends == 2)
        faults.reset_after = place;
    tlsmem_wire *wire = with(faults);
    ptrdiff_t n = 1;
    int64_t now = 0;
    while (n != 0 && n != TLSMEM_ERESET) {
        size_t piece = seeded_size(&random, 9000);
        pattern_fill(bytes, 1, put, piece);
        n = tlsmem_wire_put(wire, bytes, put + piece > most ? (size_t)(most - put) : piece, now);
        hash = (hash ^ (uint64_t)n) * 1099511628211u;
        put += n > 0 ? (uint64_t)n : 0;
        if (put == most)
            IGNORE(tlsmem_wire_end(wire) == 0);
        n = tlsmem_wire_take(wire, bytes, seeded_size(&random, 9000), now);
        hash = (hash ^ (uint64_t)n) * 1099511628211u;
        if (n > 0 && !CHECK(pattern_differs(bytes, 1, taken, (size_t)n) == (size_t)n, "seed %llu: a wrong byte after %llu",
                            (unsigned long long)seed, (unsigned long long)taken))
            break;
        taken += n > 0 ? (uint64_t)n : 0;
        if (tlsmem_wire_ready_at(wire) > now && tlsmem_wire_ready(wire, now) == 0)
            now = tlsmem_wire_ready_at(wire);
        else
            now += (int64_t)(seeded_next(&random) % 3);
    }
    tlsmem_wire_stats_info stats = stats_of(wire);
    CHECK(taken == place && n == (ends == 2 ? TLSMEM_ERESET : 0), "seed %llu: %llu of %llu were taken, then %td",
          (unsigned long long)seed, (unsigned long long)taken, (unsigned long long)place, n);
    CHECK(stats.bytes_put == put && stats.bytes_taken == taken && stats.bytes_lost == put - taken,
          "seed %llu: the counters", (unsigned long long)seed);
    tlsmem_wire_free(wire);
    return hash ^ (uint64_t)now ^ stats.moves << 20 ^ stats.refusals << 40;
}

void storms(void)
{
    situation("every fault at random");
    int seeds = (int)setting("WIRES_SEEDS", short_run() ? 20 : 200), same = 0;
    for (int seed = 1; seed <= seeds; seed++) {
        uint64_t hash = storm((uint64_t)seed, 10000);
        CHECK(storm((uint64_t)seed, 10000) == hash, "seed %d: the second time it is another", seed);
        same += storm((uint64_t)seed + 1000000, 10000) == hash;
    }
    CHECK(same == 0, "%d of %d seeds are as another", same, seeds);
}
