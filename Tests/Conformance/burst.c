/*
 * A burst of newcomers does not starve those who are there: 64 connections send 64 bytes, wait for them to come back
 * and go on a millisecond later, while a thousand new clients a second come fifty at a time and do their handshakes.
 *
 * The server, the old clients and the newcomers are three processes; the server has a core for itself where there are
 * two. Printed are the round trips of the old ones, quiet and in the burst, for a loop in which newcomers are driven
 * like everybody else, and for the loop as it is. Checked is only that the newcomers were served: what else the machine
 * does is in the times as well.
 */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OLD = 64, SIZE = 64, SAMPLES_MOST = 4000000 };
static tlsmem_ctx *client_ctx, *server_ctx;
static long seconds, rate, together;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    IGNORE(sysconf(_SC_NPROCESSORS_ONLN) > 1 && sched_setaffinity(0, sizeof set, &set) != 0);
}

/** The old clients measure: on the core that they share with the newcomers they go first, and these get what is left. */
static void first(void)
{
    static const struct sched_param lowest = { 1 };
    if (sched_setscheduler(0, SCHED_FIFO, &lowest) != 0)
        printf("burst: may not go before the newcomers on the clients' core: the times hold the scheduler's slices too\n");
}

static void ordinary(void)
{
    static const struct sched_param none = { 0 };
    IGNORE(sched_setscheduler(0, SCHED_OTHER, &none) != 0);
}

static int connected(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS));
    return fd;
}

static tlsmem *client(tlsmem_loop *loop, int port, const tlsmem_callbacks *callbacks, void *user)
{
    tlsmem *c = connection(client_ctx, callbacks, user);
    MUST(tlsmem_own_fd(c, 1) == TLSMEM_OK && tlsmem_loop_add(loop, c, connected(port)) == TLSMEM_OK);
    return c;
}

/* ---- the server */

static void echo(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    IGNORE(tlsmem_write(c, bytes, n) < 0);
}

static void let_go(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

static int welcome(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, echo, NULL, NULL, let_go };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

static pid_t start_server(int handshakes_per_turn, int *port)
{
    int answer[2];
    MUST(pipe(answer) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
        tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
        tlsmem_listener *listener;
        options.handshakes_per_turn = handshakes_per_turn;
        tlsmem_loop *loop = tlsmem_loop_new_with(&options);
        how.host = "127.0.0.1";
        how.on_accept = welcome;
        ordinary();
        pin(0);
        MUST(tlsmem_loop_listen(loop, server_ctx, &how, &listener) == TLSMEM_OK);
        *port = tlsmem_listener_port(listener);
        MUST(write(answer[1], port, sizeof *port) == sizeof *port);
        IGNORE(tlsmem_loop_run(loop));
        _exit(0);
    }
    MUST(read(answer[0], port, sizeof *port) == sizeof *port);
    close(answer[0]);
    close(answer[1]);
    return pid;
}

/* ---- the newcomers: a handshake, and gone */

static long begun, welcomed;
static int newcomers_port;
static tlsmem_loop *newcomers_loop;
static double newcomers_start;

static void on_welcomed(tlsmem *c, void *user)
{
    (void)user;
    welcomed++;
    tlsmem_close(c);
}

static void send_more(tlsmem_timer *timer, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_welcomed, echo, NULL, NULL, let_go };
    double passed = now() - newcomers_start;
    (void)user;
    if (passed > (double)seconds) {
        tlsmem_timer_free(timer);
        return;
    }
    for (long due = ((long)(passed * (double)rate) / together + 1) * together; begun < due; begun++)
        IGNORE(client(newcomers_loop, newcomers_port, &callbacks, NULL) == NULL);
    IGNORE(tlsmem_timer_set(timer, 1));
}

static pid_t start_newcomers(int port, int answer)
{
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid != 0)
        return pid;
    pin(1);
    ordinary();
    newcomers_port = port;
    newcomers_loop = tlsmem_loop_new();
    newcomers_start = now();
    MUST(tlsmem_loop_timer(newcomers_loop, 0, send_more, NULL) != NULL);
    MUST(tlsmem_loop_run(newcomers_loop) == TLSMEM_OK);
    MUST(write(answer, &welcomed, sizeof welcomed) == sizeof welcomed);
    _exit(0);
}

/* ---- the old ones */

static struct old {
    tlsmem *connection;
    tlsmem_timer *pause;
    double asked;
    size_t got;
} old[OLD];
static float *samples;
static long samples_count;
static int established, measuring;
static tlsmem_loop *old_loop;

static void ask(tlsmem_timer *timer, void *user)
{
    static const char bytes[SIZE];
    struct old *o = user;
    (void)timer;
    o->got = 0;
    o->asked = now();
    MUST(tlsmem_write(o->connection, bytes, SIZE) == SIZE);
}

static void on_old_established(tlsmem *c, void *user)
{
    struct old *o = user;
    established++;
    o->connection = c;
    o->pause = tlsmem_loop_timer(old_loop, 0, ask, o);
    MUST(o->pause != NULL);
}

static void on_old_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct old *o = user;
    (void)c, (void)bytes;
    if ((o->got += n) < SIZE)
        return;
    if (measuring && samples_count < SAMPLES_MOST)
        samples[samples_count++] = (float)((now() - o->asked) * 1e6);
    MUST(tlsmem_timer_set(o->pause, 1) == TLSMEM_OK);
}

static int ascending(const void *a, const void *b)
{
    return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

static void turn_for(double duration)
{
    for (double end = now() + duration; now() < end;)
        IGNORE(tlsmem_loop_run_once(old_loop, 10) < 0);
}

/** The percentiles of the round trips of one phase, in microseconds. */
static void measure(double *median, double *late, long *count)
{
    samples_count = 0;
    measuring = 1;
    turn_for((double)seconds);
    measuring = 0;
    MUST(samples_count > 1000);
    qsort(samples, (size_t)samples_count, sizeof *samples, ascending);
    *median = samples[samples_count / 2];
    *late = samples[samples_count * 99 / 100];
    *count = samples_count;
}

/* ---- one run */

static void run(const char *name, int handshakes_per_turn)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_old_established, on_old_data, NULL, NULL, let_go };
    double quiet[2], busy[2];
    long quiet_count, busy_count, done = 0;
    int port = 0, answer[2], status;
    pid_t server = start_server(handshakes_per_turn, &port);
    MUST(pipe(answer) == 0);
    established = 0;
    old_loop = tlsmem_loop_new();
    for (int i = 0; i < OLD; i++)
        IGNORE(client(old_loop, port, &callbacks, &old[i]) == NULL);
    for (double until = now() + 20; established < OLD && now() < until;)
        turn_for(0.1);
    MUST(established == OLD);
    turn_for(0.3);
    measure(&quiet[0], &quiet[1], &quiet_count);
    pid_t newcomers = start_newcomers(port, answer[1]);
    measure(&busy[0], &busy[1], &busy_count);
    for (int gone = 0; !gone;) {
        turn_for(0.01);
        gone = waitpid(newcomers, &status, WNOHANG) == newcomers;
    }
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    MUST(read(answer[0], &done, sizeof done) == sizeof done);
    close(answer[0]);
    close(answer[1]);
    tlsmem_loop_free(old_loop);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    printf("burst: %-38s quiet: %7ld/s, median %5.0f us, 99th %5.0f us; with %4ld handshakes a second: %7ld/s, median "
           "%5.0f us, 99th %5.0f us; %.2f times\n", name, quiet_count / seconds, quiet[0], quiet[1], done / seconds,
           busy_count / seconds, busy[0], busy[1], busy[1] / quiet[1]);
    CHECK(done >= rate * seconds * 8 / 10, "only %ld of %ld newcomers were welcomed", done, rate * seconds);
}

int main(void)
{
    begin("burst");
    seconds = setting("BURST_SECONDS", 3);
    rate = setting("BURST_RATE", 1000);
    together = setting("BURST_TOGETHER", 50);
    samples = malloc(SAMPLES_MOST * sizeof *samples);
    MUST(samples != NULL);
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    pin(1);
    first();
    situation("newcomers like everybody else");
    run("newcomers like everybody else", 256);
    situation("newcomers behind the others");
    run("newcomers behind the others", 0);
    free(samples);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
