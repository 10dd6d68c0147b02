/*
 * The simulator: connections in a world of their own, from one number.
 *
 *   simulate SEED                       one seed; prints its hash
 *   simulate --from A --count N         many; stops at the first that fails, or with --keep-going lists them
 *   simulate --shrink SEED              makes a seed that fails as small as it still fails
 *
 *   --hashes prints that of each
 *   --connections N --actions N --faults MASK --deeds MASK --settings MASK   what is left of the seed
 */
#include "simulation.h"
#include "clock.h"
#include "kernel.h"
#include "shrink.h"
#include "summary.h"
#include "world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

uint64_t seed_hash;
choices chosen = { 0, -1, -1, ~0u, ~0u, ~0u };
figures total;

static jmp_buf failed;
static failure last_failure;

void fail(int connection, const char *invariant, const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    last_failure.invariant = invariant;
    last_failure.connection = connection;
    vsnprintf(last_failure.sentence, sizeof last_failure.sentence, format, rest);
    va_end(rest);
    longjmp(failed, 1);
}

/** A crash is a failure, too; this process cannot go on after it. */
static void crashed(int number)
{
    char text[128];
    int n = snprintf(text, sizeof text, "FAIL: seed %llu: signal %d\n", (unsigned long long)chosen.seed, number);
    if (write(STDOUT_FILENO, text, (size_t)n) < 0)
        _exit(3);
    _exit(2);
}

static int run_once(void)
{
    if (setjmp(failed) != 0)
        return 0;
    world_run();
    int left = kernel_end(NULL);
    if (left > 0)
        fail(-1, "leaked descriptor", "%d are open", left);
    return 1;
}

int simulate(failure *why)
{
    long before = memory_blocks();
    int good = run_once();
    seed_hash = journal_hash();
    long grown = memory_blocks() - before;
    if (good && grown > 0) { /* a cache that was filled, unless the same takes as much again */
        figures kept = total;
        before = memory_blocks();
        good = run_once();
        total = kept;
        grown = memory_blocks() - before;
        if (good && grown > 0) {
            good = 0;
            last_failure = (failure){ .invariant = "leaked memory", .connection = -1 };
            snprintf(last_failure.sentence, sizeof last_failure.sentence, "%ld blocks", grown);
        }
    }
    if (!good)
        *why = last_failure;
    return good;
}

int main(int argc, char **argv)
{
    uint64_t from = 0, count = 1;
    int keeps_going = 0, shows_hashes = 0, shrinks = 0, has_seed = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(word, "--keep-going") == 0) {
            keeps_going = 1;
            continue;
        }
        if (strcmp(word, "--hashes") == 0) {
            shows_hashes = 1;
            continue;
        }
        if (word[0] != '-') {
            from = strtoull(word, NULL, 0);
            has_seed = 1;
            continue;
        }
        i++;
        if (strcmp(word, "--from") == 0)
            from = strtoull(value, NULL, 0), has_seed = 1;
        else if (strcmp(word, "--count") == 0)
            count = strtoull(value, NULL, 0);
        else if (strcmp(word, "--passed") == 0)
            total.passed = strtoull(value, NULL, 0); /* in the processes before */
        else if (strcmp(word, "--failed") == 0)
            total.failed = strtoull(value, NULL, 0);
        else if (strcmp(word, "--shrink") == 0)
            from = strtoull(value, NULL, 0), has_seed = shrinks = 1;
        else if (strcmp(word, "--connections") == 0)
            chosen.connections = atoi(value);
        else if (strcmp(word, "--actions") == 0)
            chosen.actions = atoi(value);
        else if (strcmp(word, "--faults") == 0)
            chosen.faults = (unsigned)strtoul(value, NULL, 0);
        else if (strcmp(word, "--deeds") == 0)
            chosen.deeds = (unsigned)strtoul(value, NULL, 0);
        else if (strcmp(word, "--settings") == 0)
            chosen.settings = (unsigned)strtoul(value, NULL, 0);
        else
            has_seed = 0, argc = 0;
    }
    if (!has_seed)
        return fprintf(stderr, "usage: simulate SEED | --from A --count N [--keep-going] | --shrink SEED\n"), 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    chance_replaces_openssl();
    if (shrinks)
        return shrink(from);
    const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGTRAP, SIGFPE };
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], crashed);
    return run_seeds(from, count, keeps_going, shows_hashes || count == 1);
}
