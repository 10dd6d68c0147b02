/* measure.c - rounds, medians and lines; see measure.h. */
#include "measure.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_USUAL = 15, ROUND_MS = 30, TURNS_BETWEEN_LOOKS = 32 };

int rounds_wanted(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS_USUAL;
    require(rounds >= 1 && rounds <= ROUNDS_MAX, "the argument is a number of rounds, 1 to 101");
    return (int)rounds;
}

double nanoseconds(int clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const double *values, int n)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, (size_t)n * sizeof *values);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    return n % 2 != 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

void print_line(const char *unit, double value, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf("\t%s\t%.*f\n", unit, value < 10 ? 3 : 1, value);
    fflush(stdout);
}

/* What one costs, over at least so many milliseconds. */
static double one(const struct way *way, double ms)
{
    double begin = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), spent;
    uint64_t done = 0;
    do {
        for (int i = 0; i < TURNS_BETWEEN_LOOKS; i++)
            way->turn(way->state);
        done += (uint64_t)TURNS_BETWEEN_LOOKS * (uint64_t)way->per_turn;
        spent = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    } while (spent < ms * 1e6);
    return spent / (double)done;
}

void measure(const char *about, struct way *ways, int count, int rounds)
{
    for (int i = 0; i < count; i++)
        one(&ways[i], ROUND_MS / 3.0); /* caches, page faults, buffers that grow once */
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            struct way *way = &ways[round % 2 == 0 ? i : count - 1 - i];
            way->ns[round] = one(way, ROUND_MS);
        }
    for (int i = 0; i < count; i++)
        print_line("ns", median(ways[i].ns, rounds), "%s/%s", about, ways[i].name);
}

double ratio(const struct way *better, const struct way *worse, int rounds)
{
    double ratios[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        ratios[i] = worse->ns[i] / better->ns[i];
    return median(ratios, rounds);
}

void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}
