/* Whether it was flat, and whether anything is left. */
#include "measure.h"

static double mb(double bytes)
{
    return bytes / 1e6;
}

static void print_statuses(const counts *c)
{
    for (size_t i = 0; i < sizeof c->statuses / sizeof *c->statuses; i++)
        if (c->statuses[i] > 0)
            printf(" %s %llu", tlsmem_status_name(-(int)i), c->statuses[i]);
    printf("\n");
}

static void print_counts(void)
{
    for (int side = 0; side < SIDES; side++) {
        const counts *c = &shared->counts[side];
        printf("soak: %s: %llu connections, at most %llu at once, %llu established, %llu resumed, %llu with early data, "
               "%llu clean to the last byte, %llu freed without on_close; %llu went on in another way, %llu questions, "
               "%llu contexts anew; %.1f GB sent, %.1f GB received\n", side_names[side], c->begun, c->alive_most,
               c->established, c->resumed, c->early, c->clean,
               c->left, c->changes, c->questions,
               c->reloads, (double)c->sent / 1e9, (double)c->received / 1e9);
        printf("soak: %s: on_close said:", side_names[side]);
        print_statuses(c);
    }
    printf("soak: clients: %llu sockets without TLS besides\n", shared->counts[CLIENTS].bare);
}

/* ---- what is checked */

static long resident(const quiet *q)
{
    return q->trimmed_kilobytes * 1024;
}

static long given_out(const quiet *q)
{
    return q->given_out;
}

/** The middle of three quiet points, from this one on: one alone says more of how memory was cut up there. */
static long middle(int side, int from, long (*what)(const quiet *q))
{
    long a = what(&quiets[from].of[side]), b = what(&quiets[from + 1].of[side]), c = what(&quiets[from + 2].of[side]);
    return a > b ? (b > c ? b : a > c ? c : a) : (a > c ? a : b > c ? c : b);
}

/** Grows by no more than two of a hundred, and what a short run has not made yet at its beginning. */
static void check_flat(int side, const char *name, long slack, long (*what)(const quiet *q))
{
    long first = middle(side, 0, what), last = middle(side, quiets_count - 3, what);
    printf("soak: %s: %s: %.3f MB after %.0f to %.0f %%, %.3f MB at the end: %+.2f %%\n", side_names[side], name,
           mb((double)first), quiets[0].part * 100, quiets[2].part * 100, mb((double)last),
           100.0 * (double)(last - first) / (double)first);
    situation("seed %llu, %s: %s", shared->seed, side_names[side], name);
    CHECK(last <= first + first / 50 + slack, "grows from %ld to %ld bytes", first, last);
}

static void check_nothing_left(int side)
{
    for (int i = 0; i < quiets_count; i++) {
        const quiet *q = &quiets[i].of[side], *first = &quiets[0].of[side];
        situation("seed %llu, %s: nothing is left, quiet point %d", shared->seed, side_names[side], i + 1);
        CHECK(q->begun == q->freed, "%llu begun, %llu freed", q->begun, q->freed);
        CHECK(q->begun == q->ended, "%llu begun, %llu closed or freed before", q->begun, q->ended);
        CHECK(q->of_contexts == 0 && q->of_loop == 0, "the library has %ld connections of contexts, %ld in the loop",
              q->of_contexts, q->of_loop);
        CHECK(q->descriptors == first->descriptors, "%ld descriptors, %ld at the first quiet point", q->descriptors,
              first->descriptors);
        CHECK(q->deadlines == first->deadlines, "%ld deadlines, %ld at the first quiet point", q->deadlines, first->deadlines);
        CHECK(quiets[i].of[SERVER].clean == quiets[i].of[CLIENTS].clean, "%llu were clean to the server, %llu to the clients",
              quiets[i].of[SERVER].clean, quiets[i].of[CLIENTS].clean);
    }
}

void judge_all(void)
{
    print_counts();
    situation("seed %llu: quiet points", shared->seed);
    if (!CHECK(quiets_count >= 6, "there were %d", quiets_count))
        return;
    printf("soak: compared are quiet points, when no connection is left: the middle of the first three with that of the last "
           "three, of %d. Resident: VmRSS once malloc_trim has given back what malloc keeps for later; given out: what malloc "
           "counts as in use (mallinfo2)\n", quiets_count);
    int is_short = shared->counts[CLIENTS].begun < LONG_RUN; /* ended by its time, perhaps, on a busy machine */
    for (int side = 0; side < SIDES; side++) {
        const quiet *first = &quiets[0].of[side], *last = &quiets[quiets_count - 1].of[side];
        const counts *c = &shared->counts[side];
        check_flat(side, "resident", is_short ? 524288 : 0, resident);
        check_flat(side, "given out", is_short ? 196608 : 65536, given_out);
        printf("soak: %s: before malloc_trim %.1f and %.1f MB; %ld and %ld descriptors\n", side_names[side],
               mb((double)first->resident_kilobytes * 1024), mb((double)last->resident_kilobytes * 1024), first->descriptors,
               last->descriptors);
        check_nothing_left(side);
        situation("seed %llu, %s: of everything there was some", shared->seed, side_names[side]);
        CHECK(c->resumed > 0 && c->changes > 0 && c->questions > 0 && c->clean > c->begun / 2 && c->left > 0,
              "the run was not what it was to be");
    }
    CHECK(shared->counts[SERVER].reloads > 0 && shared->counts[SERVER].early > 0,
          "no context was made anew, or nothing came early");
}
