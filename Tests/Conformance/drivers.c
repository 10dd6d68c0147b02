/*
 * drivers.c - echo servers in many loops, driven hard from outside by raw OpenSSL, and one table of how they did.
 *
 *   drivers PROGRAM...         each case, against each of these servers
 *   DRIVERS_CASE=NAME          only this case
 *
 * A case runs in a process of its own, so that it may leave its clients behind when it fails; the server stays the same for
 * all cases, and has to end by SIGTERM with exit code 0 afterwards, with clients still there.
 */
#include "drivers.h"

#include <glob.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SERVERS_MAX = 32, CASES_MAX = 32, AT_ONCE = 10 };
enum outcome { NOT_RUN, PASSED, FAILED };

static const drive *cases[CASES_MAX];
static size_t case_count;
static unsigned char (*outcomes)[CASES_MAX]; /* of each server; shared with the processes */
static char trying[128];

int fails(int line, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (line != 0)
        printf("%s: %s (line %d)\n", trying, text, line);
    else
        printf("%s: %s\n", trying, text);
    fflush(stdout);
    return 0;
}

static int sigterm(server *s)
{
    client *c = client_new(s, 0);
    c->want = 1;
    NEED(until_one(is_echoed, c), "before the end");
    int code = server_end(s);
    NEED(code == 0, "exit code %d", code);
    client_free(c);
    return 1;
}

static const drive last_case = { "SIGTERM", sigterm, 0 };

static void choose_cases(void)
{
    const drive *const lists[] = { drives_of_ends, drives_of_bytes };
    const char *only = getenv("DRIVERS_CASE");
    for (size_t i = 0; i < 2; i++)
        for (const drive *d = lists[i]; d->name != NULL; d++)
            if (only == NULL || strcmp(only, d->name) == 0)
                cases[case_count++] = d;
    cases[case_count++] = &last_case;
}

static pid_t begin_case(server *s, size_t number, unsigned char *outcome)
{
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        snprintf(trying, sizeof trying, "%s: %s", s->name, cases[number]->name);
        *outcome = FAILED; /* unless it comes to its end */
        if (cases[number]->passes(s))
            *outcome = PASSED;
        _exit(0);
    }
    return pid;
}

/* Long cases, which wait most of the time, run beside the others; the last one, which ends the server, after all. */
static void drive_server(const char *path, unsigned char *outcome)
{
    pid_t longs[CASES_MAX];
    size_t long_count = 0;
    server s;
    if (!server_start(&s, path, 0))
        return;
    for (size_t i = 0; i < case_count - 1; i++)
        if (cases[i]->is_long)
            longs[long_count++] = begin_case(&s, i, &outcome[i]);
    for (size_t i = 0; i < case_count - 1; i++)
        if (!cases[i]->is_long)
            waitpid(begin_case(&s, i, &outcome[i]), NULL, 0);
    while (long_count > 0)
        waitpid(longs[--long_count], NULL, 0);
    outcome[case_count - 1] = FAILED;
    snprintf(trying, sizeof trying, "%s: %s", s.name, cases[case_count - 1]->name);
    if (sigterm(&s))
        outcome[case_count - 1] = PASSED;
}

/* The lines of NAME.c, NAME.h and NAME_*.c of the examples. */
static long lines_of(const char *name)
{
    static const char *const endings[] = { ".c", ".h", "_*.c" };
    char pattern[512];
    long lines = 0;
    for (size_t i = 0; i < 3; i++) {
        glob_t found;
        snprintf(pattern, sizeof pattern, EXAMPLES_PATH "/%s%s", name, endings[i]);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++) {
            FILE *file = fopen(found.gl_pathv[k], "r");
            for (int byte; file != NULL && (byte = getc(file)) != EOF;)
                lines += byte == '\n';
            if (file != NULL)
                fclose(file);
        }
        globfree(&found);
    }
    return lines;
}

/* Returns how many have not passed. */
static size_t print_table(char **paths, size_t servers)
{
    static const char *const words[] = { "-", "ok", "FAIL" };
    size_t passed = 0;
    printf("\n%-18s %5s", "", "lines");
    for (size_t i = 0; i < case_count; i++)
        printf("  %s", cases[i]->name);
    for (size_t k = 0; k < servers; k++) {
        const char *slash = strrchr(paths[k], '/'), *name = slash != NULL ? slash + 1 : paths[k];
        printf("\n%-18s %5ld", name, lines_of(name));
        for (size_t i = 0; i < case_count; i++) {
            printf("  %-*s", (int)strlen(cases[i]->name), words[outcomes[k][i]]);
            passed += outcomes[k][i] == PASSED;
        }
    }
    printf("\n\ndrivers: %zu passed, %zu failed\n", passed, servers * case_count - passed);
    return servers * case_count - passed;
}

int main(int argc, char **argv)
{
    size_t servers = (size_t)argc - 1, running = 0;
    MUST(argc > 1 && servers <= SERVERS_MAX);
    outcomes = mmap(NULL, sizeof *outcomes * SERVERS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(outcomes != MAP_FAILED);
    choose_cases();
    fflush(stdout);
    for (size_t k = 0; k < servers; k++) {
        if (running == AT_ONCE && wait(NULL) > 0)
            running--;
        pid_t pid = fork();
        MUST(pid >= 0);
        if (pid == 0) {
            drive_server(argv[k + 1], outcomes[k]);
            _exit(0);
        }
        running++;
    }
    while (wait(NULL) > 0) {
    }
    return print_table(argv + 1, servers) != 0;
}
