/*
 * The soak: a server and its clients for a million connections, memory, descriptors and objects flat, or it fails.
 *
 * SOAK_CONNECTIONS says how many, SOAK_MINUTES after how long it ends all the same (0: no limit), SOAK_SEED of which seed,
 * SOAK_MOST how many at once, SOAK_TABLE where the table of all samples goes. `make soak` sets them.
 */
#define _GNU_SOURCE
#include "contexts.h"
#include "measure.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 240, SHOWN_MOST = 40 }; /* seconds in which one at least has to end; complaints that are printed */

const char *const side_names[SIDES] = { "server", "clients" };
soak *shared;

void wrong(const char *format, ...)
{
    char text[700];
    va_list arguments;
    if (ADD(shared->wrong, 1) >= SHOWN_MOST)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("soak: seed %llu: %s\n", shared->seed, text);
}

void look_at_oneself(quiet *now)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    MUST(tlsmem_loop_stats(the_loop, &stats) == TLSMEM_OK);
    now->resident_kilobytes = resident_kilobytes(getpid());
    MUST(tlsmem_loop_trim(the_loop) == TLSMEM_OK);
    malloc_trim(0);
    now->trimmed_kilobytes = resident_kilobytes(getpid());
    now->given_out = (long)mallinfo2().uordblks;
    now->descriptors = open_descriptors();
    now->of_contexts = contexts_connections();
    now->of_loop = (long)stats.connections;
    now->deadlines = (long)stats.deadlines;
    now->begun = own->begun;
    now->freed = own->freed;
    now->ended = own->closes + own->left;
    now->clean = own->clean;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the processes */

static void start(int side, void (*run)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        own = &shared->counts[side];
        own->pid = getpid();
        run();
        _exit(0);
    }
    shared->counts[side].pid = pid;
}

/** Returns whether both are still there. */
static int both_live(void)
{
    for (int side = 0; side < SIDES; side++) {
        int status;
        pid_t pid = shared->counts[side].pid;
        if (pid <= 0 || waitpid(pid, &status, WNOHANG) != pid)
            continue;
        shared->counts[side].pid = -1;
        return CHECK(0, "the %s ended with %s %d", side_names[side], WIFSIGNALED(status) ? "signal" : "code",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return 1;
}

/** Waits for their end, and ends them when it does not come. */
static void finish_both(void)
{
    double until = seconds() + 60;
    SET(shared->is_over, 1);
    for (int side = 0; side < SIDES; side++) {
        int status = 0;
        pid_t pid = shared->counts[side].pid;
        if (pid <= 0)
            continue;
        while (waitpid(pid, &status, WNOHANG) == 0 && seconds() < until)
            usleep(10000);
        if (seconds() >= until) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
        }
        situation("seed %llu: the end of the %s", shared->seed, side_names[side]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it is not well: %x", (unsigned)status);
    }
}

/* ---- the run */

static double began, minutes;

static double part_done(void)
{
    const counts *c = &shared->counts[CLIENTS];
    double part = (double)(GET(c->begun) + GET(c->bare)) / (double)shared->connections;
    double by_time = minutes > 0 ? (seconds() - began) / (minutes * 60) : 0;
    part = part > by_time ? part : by_time;
    return part < 1 ? part : 1;
}

/** Has them come to rest. Returns whether they did. */
static int rest(double part)
{
    int asked = ++shared->quiet_asked;
    number freed = 0;
    for (double until = seconds() + PATIENCE; GET(shared->counts[SERVER].rested) < asked && both_live(); usleep(20000)) {
        number now = GET(shared->counts[SERVER].freed) + GET(shared->counts[CLIENTS].freed);
        if (freed != now)
            until = seconds() + PATIENCE;
        else if (seconds() > until)
            break;
        freed = now;
    }
    situation("seed %llu: come to rest, after %.0f %%", shared->seed, part * 100);
    if (!CHECK(GET(shared->counts[SERVER].rested) == asked, "%llu of the server's and %llu of the clients' do not end",
               GET(shared->counts[SERVER].alive), GET(shared->counts[CLIENTS].alive)))
        return 0;
    table_quiet(seconds() - began, part);
    return 1;
}

static void run(int quiets)
{
    double told = began, sampled = began, every = shared->connections < LONG_RUN ? 0.2 : 1;
    for (int i = 0; i <= quiets;) {
        double part = part_done(), now = seconds();
        situation("seed %llu: under way", shared->seed);
        if (!both_live())
            return;
        if (now - sampled >= every) {
            table_sample(now - began);
            sampled = now;
        }
        if (now - told >= 10) {
            print_progress(now - began);
            told = now;
        }
        if (part >= 0.1 + 0.9 * i / quiets && !rest(part_done()))
            return;
        i += part >= 0.1 + 0.9 * i / quiets;
        usleep(20000);
    }
}

static void prepare(void)
{
    struct rlimit files;
    MUST(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    MUST(setrlimit(RLIMIT_NOFILE, &files) == 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(shared != MAP_FAILED);
    shared->seed = (uint64_t)setting("SOAK_SEED", (long)time(NULL));
    shared->connections = (uint64_t)setting("SOAK_CONNECTIONS", 3000);
    shared->most = (uint64_t)setting("SOAK_MOST", shared->connections < 30000 ? (long)shared->connections / 10 : 3000);
    if (shared->most > files.rlim_cur - 200)
        shared->most = files.rlim_cur - 200;
    minutes = (double)setting("SOAK_MINUTES", 0);
    snprintf(shared->path, sizeof shared->path, "@tlsmem-soak-%d", (int)getpid());
}

int main(void)
{
    begin("soak");
    alarm(0); /* as long as it takes: what does not come to rest fails by itself */
    prepare();
    printf("soak: seed %llu, %llu connections, up to %llu at once, OpenSSL: %s\n", shared->seed,
           shared->connections, shared->most, tlsmem_openssl_version());
    table_begin(getenv("SOAK_TABLE"));
    situation("seed %llu: the beginning", shared->seed);
    start(SERVER, serve);
    for (int i = 0; GET(shared->own_port) == 0 && i < 3000 && both_live(); i++)
        usleep(10000);
    MUST(GET(shared->own_port) != 0);
    start(CLIENTS, visit);
    began = seconds();
    run(shared->connections < LONG_RUN ? 6 : 18);
    double took = seconds() - began;
    printf("soak: %.0f seconds, %.0f connections a second\n", took,
           (double)(GET(shared->counts[CLIENTS].begun) + GET(shared->counts[CLIENTS].bare)) / took);
    finish_both();
    table_end();
    judge_all();
    situation("seed %llu: wrong", shared->seed);
    CHECK(GET(shared->wrong) == 0, "%llu times", GET(shared->wrong));
    return finish();
}
