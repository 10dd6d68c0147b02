#include "summary.h"
#include "clock.h"
#include "shrink.h"
#include "simulation.h"

#include <unistd.h>

static void say(const char *name, uint64_t count)
{
    printf("  %-22s %12llu\n", name, (unsigned long long)count);
}

static void print_figures(int64_t real_ms)
{
    say("seeds", total.seeds);
    say("connections", total.connections);
    say("handshakes", total.handshakes);
    say("resumed", total.resumed);
    say("bytes of ciphertext", total.bytes);
    say("system calls", total.calls);
    say("callbacks", total.callbacks);
    say("actions", total.actions);
    say("questions", total.questions);
    say("answers", total.answers);
    for (int i = 0; i < FAULTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "fault %s", fault_names[i]);
        say(name, total.faults[i]);
    }
    for (int i = 0; i < 64; i++)
        if (total.ends[i] > 0) {
            char name[48];
            snprintf(name, sizeof name, "ends %s", tlsmem_status_name(-i));
            say(name, total.ends[i]);
        }
    printf("  %.1f hours of virtual time in %.1f s\n", (double)total.milliseconds / 3600e3, (double)real_ms / 1000);
}

/** What has failed left everything as it was: the rest is done by a fresh process. Returns only if there is no rest. */
static void go_on(uint64_t from, uint64_t end)
{
    char first[24], count[24], passed[24], failed[24];
    if (from >= end)
        return;
    snprintf(first, sizeof first, "%llu", (unsigned long long)from);
    snprintf(count, sizeof count, "%llu", (unsigned long long)(end - from));
    snprintf(passed, sizeof passed, "%llu", (unsigned long long)total.passed);
    snprintf(failed, sizeof failed, "%llu", (unsigned long long)total.failed);
    fflush(stdout);
    execl("/proc/self/exe", "simulate", "--keep-going", "--from", first, "--count", count, "--passed", passed, "--failed", failed,
          NULL);
}

int run_seeds(uint64_t from, uint64_t count, int keeps_going, int shows_hashes)
{
    int64_t began = clock_real(), told = began;
    for (uint64_t seed = from; seed < from + count; seed++) {
        failure why;
        chosen.seed = seed;
        int good = simulate(&why);
        total.seeds++;
        if (shows_hashes)
            printf("seed %llu: hash %016llx\n", (unsigned long long)seed, (unsigned long long)seed_hash);
        total.passed += (uint64_t)good;
        if (!good) {
            total.failed++;
            print_failure(&why);
            if (!keeps_going)
                break;
            go_on(seed + 1, from + count);
        }
        if (clock_real() - told > 30000) {
            told = clock_real();
            printf("... %llu seeds, %.0f s\n", (unsigned long long)total.seeds, (double)(told - began) / 1000);
        }
    }
    if (count > 1)
        print_figures(clock_real() - began);
    printf("simulation: %llu passed, %llu failed\n", (unsigned long long)total.passed,
           (unsigned long long)total.failed);
    return total.failed > 0;
}
