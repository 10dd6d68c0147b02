/* What has happened: a hash over all of it, and the last of it. */
#include "simulation.h"
#include "clock.h"

enum { KEPT = 16384 };

static struct {
    uint64_t hash;
    uint64_t count;
    struct { const char *what; int64_t at; long a, b, c; } events[KEPT];
} journal;

static void mix(uint64_t value)
{
    journal.hash = (journal.hash ^ value) * 0x100000001b3;
    journal.hash ^= journal.hash >> 29;
}

void journal_begin(void)
{
    journal.hash = 0xcbf29ce484222325;
    journal.count = 0;
}

void note(const char *what, long a, long b, long c)
{
    for (const char *each = what; *each != 0; each++)
        mix((unsigned char)*each);
    mix((uint64_t)clock_since_begin());
    mix((uint64_t)a);
    mix((uint64_t)b);
    mix((uint64_t)c);
    size_t place = journal.count++ % KEPT;
    journal.events[place].what = what;
    journal.events[place].at = clock_since_begin();
    journal.events[place].a = a;
    journal.events[place].b = b;
    journal.events[place].c = c;
}

uint64_t journal_hash(void)
{
    return journal.hash;
}

static int concerns(size_t place, int connection)
{
    return connection < 0 || (journal.events[place].a >= 0 && journal.events[place].a / 2 == connection);
}

static void print(FILE *to, int connection, int most)
{
    uint64_t there = journal.count < KEPT ? journal.count : KEPT, first = journal.count - there;
    int found = 0;
    for (uint64_t i = journal.count; i > first; i--) /* where the last ones begin */
        if (concerns((i - 1) % KEPT, connection))
            if (++found == most) {
                first = i - 1;
                break;
            }
    for (uint64_t i = first; i < journal.count; i++) {
        size_t place = i % KEPT;
        if (concerns(place, connection))
            fprintf(to, "  %8lld ms  %-22s %5ld %8ld %8ld\n", (long long)journal.events[place].at,
                    journal.events[place].what, journal.events[place].a, journal.events[place].b,
                    journal.events[place].c);
    }
}

void journal_print(FILE *to, int most)
{
    print(to, -1, most);
}

void journal_print_of(FILE *to, int connection, int most)
{
    print(to, connection, most);
}
