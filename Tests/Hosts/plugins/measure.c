/*
 * measure.c - a plugin of plugin_host that prints one line when it is loaded, and is done: what the process has at that moment.
 *
 *     measured descriptors=5 threads=1 heap=123456 resident=4567890 mapped=libtlsmem.so
 *
 * Loaded before the others in each round, it sees what they have left behind in the round before.
 */
#define _GNU_SOURCE
#include "plugin.h"
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int entries(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return count;
}

static long resident(void)
{
    long all, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2)
        pages = -1;
    if (file != NULL)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Prints which of these files are mapped. */
static void print_mapped(void)
{
    static const char *const names[] = { "libtlsmem.so", "echo.so", "fetch.so" };
    FILE *file = fopen("/proc/self/maps", "r");
    unsigned seen = 0;
    for (char line[4096]; file != NULL && fgets(line, sizeof line, file) != NULL;)
        for (unsigned i = 0; i < 3; i++)
            seen |= strstr(line, names[i]) != NULL ? 1U << i : 0;
    for (unsigned i = 0; i < 3; i++)
        if (seen & 1U << i)
            printf(" mapped=%s", names[i]);
    if (file != NULL)
        fclose(file);
}

static void *init(const struct plugin_host *host)
{
    static int self;
    size_t heap = mallinfo2().uordblks; /* before anything is opened here */
    printf("measured descriptors=%d threads=%d heap=%zu resident=%ld", entries("/proc/self/fd") - 1, entries("/proc/self/task"),
           heap, resident());
    print_mapped();
    printf("\n");
    host->end(PLUGIN_DONE);
    return &self;
}

static void teardown(void *self)
{
    (void)self;
}

__attribute__((visibility("default"))) extern const struct plugin plugin;
const struct plugin plugin = { PLUGIN_ABI, init, teardown };
