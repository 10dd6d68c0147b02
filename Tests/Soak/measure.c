#include "measure.h"

#include <dirent.h>
#include <unistd.h>

static FILE *table;
quiet_point quiets[QUIETS_MOST];
int quiets_count;

long resident_kilobytes(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static long descriptors_of(pid_t pid)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2; /* "." and ".." */
}

/* ---- the table */

void table_begin(const char *path)
{
    if (path == NULL)
        return;
    MUST((table = fopen(path, "w")) != NULL);
    fprintf(table, "seconds\tkind\tprocess\tconnections\talive\tresident_kb\ttrimmed_kb\tgiven_out\tdescriptors\tof_contexts\t"
                   "of_loop\tdeadlines\n");
}

static void row(double seconds, const char *kind, int side, const quiet *q)
{
    if (table == NULL)
        return;
    fprintf(table, "%.1f\t%s\t%s\t%llu\t%llu\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\n", seconds, kind, side_names[side],
            q->begun, (q->begun - q->freed), q->resident_kilobytes, q->trimmed_kilobytes, q->given_out,
            q->descriptors, q->of_contexts, q->of_loop, q->deadlines);
    fflush(table);
}

void table_sample(double seconds)
{
    for (int side = 0; side < SIDES; side++) {
        const counts *c = &shared->counts[side];
        pid_t pid = c->pid;
        number freed = GET(c->freed); /* first: nobody is to be freed before it has begun */
        quiet now = { .resident_kilobytes = resident_kilobytes(pid), .trimmed_kilobytes = -1, .given_out = -1,
                      .descriptors = descriptors_of(pid), .of_contexts = -1, .of_loop = -1, .deadlines = -1,
                      .begun = GET(c->begun), .freed = freed };
        row(seconds, "run", side, &now);
    }
}

void table_quiet(double seconds, double part)
{
    MUST(quiets_count < QUIETS_MOST);
    quiets[quiets_count].part = part;
    for (int side = 0; side < SIDES; side++) {
        const counts *c = &shared->counts[side];
        quiets[quiets_count].of[side] = c->quiet;
        row(seconds, "quiet", side, &c->quiet);
    }
    quiets_count++;
}

void table_end(void)
{
    if (table != NULL)
        fclose(table);
}

void print_progress(double seconds)
{
    static number before;
    static double seconds_before;
    const counts *c = &shared->counts[CLIENTS], *s = &shared->counts[SERVER];
    number begun = GET(c->begun) + GET(c->bare);
    printf("soak: %5.0f s: %8llu connections, %6.0f a second; alive %5llu; server %6.1f MB, clients %6.1f MB; %llu wrong\n",
           seconds,
           begun, (double)(begun - before) / (seconds - seconds_before), GET(s->alive),
           (double)resident_kilobytes(s->pid) * 1024e-6, (double)resident_kilobytes(c->pid) * 1024e-6,
           GET(shared->wrong));
    before = begun;
    seconds_before = seconds;
}
