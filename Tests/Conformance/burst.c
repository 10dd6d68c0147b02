/*
 * A burst of newcomers does not starve those who are there: 64 connections send 64 bytes and wait for them to come
 * back, over and over, while a thousand new clients a second do their handshakes.
 *
 * The server is a process of its own, and has a core for itself where there are two. All clients share one loop: were
 * the newcomers another process, the scheduler's slices would be in the times of the old ones. Printed are the round
 * trips of these, quiet and in the burst. Checked is only that the newcomers were served: what else the machine does is
 * in the times as well.
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
static long seconds, rate;

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

static pid_t start_server(int *port)
{
    int answer[2];
    MUST(pipe(answer) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
        tlsmem_listener *listener;
        tlsmem_loop *loop = tlsmem_loop_new();
        how.host = "127.0.0.1";
        how.on_accept = welcome;
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

/* ---- the old ones */

static struct old {
    double asked;
    size_t got;
} old[OLD];
static float *samples;
static long samples_count;
static int established, measuring;
static tlsmem_loop *old_loop; /* and the newcomers' */

static void ask(tlsmem *c, struct old *o)
{
    static const char bytes[SIZE];
    o->got = 0;
    o->asked = now();
    MUST(tlsmem_write(c, bytes, SIZE) == SIZE);
}

static void on_old_established(tlsmem *c, void *user)
{
    established++;
    ask(c, user);
}

static void on_old_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct old *o = user;
    (void)bytes;
    if ((o->got += n) < SIZE)
        return;
    if (measuring && samples_count < SAMPLES_MOST)
        samples[samples_count++] = (float)((now() - o->asked) * 1e6);
    ask(c, o);
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

/* ---- the newcomers: a handshake, and gone */

static long begun, welcomed;
static int server_port;
static double burst_began;

static void on_welcomed(tlsmem *c, void *user)
{
    (void)user;
    welcomed++;
    tlsmem_close(c);
}

static void send_more(tlsmem_timer *timer, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_welcomed, echo, NULL, NULL, let_go };
    double passed = now() - burst_began;
    (void)user;
    if (passed > (double)seconds) {
        tlsmem_timer_free(timer);
        return;
    }
    for (; begun < (long)(passed * (double)rate); begun++)
        IGNORE(client(old_loop, server_port, &callbacks, NULL) == NULL);
    IGNORE(tlsmem_timer_set(timer, 1));
}

static void begin_burst(int port)
{
    server_port = port;
    begun = welcomed = 0;
    burst_began = now();
    MUST(tlsmem_loop_timer(old_loop, 0, send_more, NULL) != NULL);
}

/* ---- one run */

static void run(void)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_old_established, on_old_data, NULL, NULL, let_go };
    double quiet[2], busy[2];
    long quiet_count, busy_count;
    int port = 0;
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    pid_t server = start_server(&port);
    established = 0;
    options.handshakes_per_turn = 1;
    old_loop = tlsmem_loop_new_with(&options);
    MUST(old_loop != NULL);
    for (int i = 0; i < OLD; i++)
        IGNORE(client(old_loop, port, &callbacks, &old[i]) == NULL);
    for (double until = now() + 20; established < OLD && now() < until;)
        turn_for(0.1);
    MUST(established == OLD);
    turn_for(0.3);
    measure(&quiet[0], &quiet[1], &quiet_count);
    begin_burst(port);
    measure(&busy[0], &busy[1], &busy_count);
    turn_for(0.5); /* the last ones */
    tlsmem_loop_free(old_loop);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    printf("burst: %d connections, quiet: %ld/s, median %.0f us, 99th %.0f us; with %ld handshakes a second: %ld/s, median "
           "%.0f us, 99th %.0f us; %.2f times\n", OLD, quiet_count / seconds, quiet[0], quiet[1], welcomed / seconds,
           busy_count / seconds, busy[0], busy[1], busy[1] / quiet[1]);
    CHECK(welcomed >= rate * seconds * 8 / 10, "only %ld of %ld newcomers were welcomed", welcomed, rate * seconds);
}

int main(void)
{
    begin("burst");
    seconds = setting("BURST_SECONDS", 3);
    rate = setting("BURST_RATE", 1000);
    samples = malloc(SAMPLES_MOST * sizeof *samples);
    MUST(samples != NULL);
    client_ctx = context(TLSMEM_CLIENT, TLSMEM_TLS1_3);
    server_ctx = context(TLSMEM_SERVER, TLSMEM_TLS1_3);
    pin(1);
    situation("%ld newcomers a second", rate);
    run();
    free(samples);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
