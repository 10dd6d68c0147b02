/*
 * A crowd: 10,000 connections open and idle in one process, 1,000 of them active, then all closed; descriptors and
 * memory are back to where they were. The figures are printed.
 *
 * The clients are a process of their own, so that each of the two has its descriptors to itself; CROWD sets how many
 * (1,000, unless `make figures` asks).
 * What is compared is what malloc has given out (mallinfo2), and what the process occupies (VmRSS) once malloc has
 * given back to the system what it keeps for later.
 */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 256, ROUNDS = 20, SIZE = 64 };
static tlsmem_ctx *client_ctx, *server_ctx;

/* ---- what the process occupies */

typedef struct footprint {
    int descriptors;
    size_t given_out;
    long resident;
} footprint;

static long resident_kilobytes(void)
{
    char line[256];
    long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1)
            break;
    fclose(status);
    return kilobytes;
}

static footprint step(const char *name, tlsmem_loop *loop)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    MUST(tlsmem_loop_stats(loop, &stats) == TLSMEM_OK);
    malloc_trim(0);
    footprint now = { open_descriptors(), mallinfo2().uordblks, resident_kilobytes() };
    printf("crowd: %-26s %5llu connections, %5d descriptors, %8.1f MB given out by malloc, %8.1f MB resident\n", name,
           (unsigned long long)stats.connections, now.descriptors, (double)now.given_out / 1e6,
           (double)now.resident * 1024 / 1e6);
    return now;
}

/* ---- the clients: a process that does what one byte on its pipe says, and answers with one */

static int asked[2], answered[2], port;
static tlsmem **crowd;
static int crowd_size, open_count, established, failed_count, rounds_left;
static tlsmem_loop *crowd_loop;

static void answer(void)
{
    char done = 1;
    MUST(write(answered[1], &done, 1) == 1);
}

static void open_one(void);

static void on_established(tlsmem *c, void *user)
{
    (void)c, (void)user;
    if (++established == crowd_size)
        answer();
    else if (open_count < crowd_size)
        open_one();
}

static void on_answer(tlsmem *c, const void *bytes, size_t n, void *user)
{
    int *rounds = user;
    (void)n;
    if (--*rounds > 0)
        IGNORE(tlsmem_write(c, bytes, n) < 0);
    else if (--rounds_left == 0)
        answer();
}

static void on_client_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    if (report->status != TLSMEM_OK)
        failed_count++;
    tlsmem_free(c);
    if (--open_count == 0)
        answer();
}

static int *rounds_of;

static void open_one(void)
{
    static const tlsmem_callbacks callbacks = {
        sizeof callbacks, on_established, on_answer, NULL, NULL, on_client_close
    };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS));
    crowd[open_count] = connection(client_ctx, &callbacks, &rounds_of[open_count]);
    MUST(tlsmem_own_fd(crowd[open_count], 1) == TLSMEM_OK);
    MUST(tlsmem_loop_add(crowd_loop, crowd[open_count], fd) == TLSMEM_OK);
    open_count++;
}

static void on_word(tlsmem_loop *loop, int fd, int events, void *user)
{
    static const char bytes[SIZE];
    char word = 'q';
    (void)events, (void)user;
    IGNORE(read(fd, &word, 1) < 0);
    if (word == 'o') {
        established = open_count = 0;
        while (open_count < AT_ONCE && open_count < crowd_size)
            open_one();
    } else if (word == 't') { /* every tenth talks */
        rounds_left = (crowd_size + 9) / 10;
        for (int i = 0; i < crowd_size; i += 10) {
            rounds_of[i] = ROUNDS;
            MUST(tlsmem_write(crowd[i], bytes, SIZE) == SIZE);
        }
    } else if (word == 'c') {
        for (int i = 0, all = open_count; i < all; i++)
            tlsmem_close(crowd[i]);
    } else {
        IGNORE(tlsmem_loop_stop(loop));
    }
}

static void be_the_clients(void)
{
    crowd_loop = tlsmem_loop_new();
    crowd = calloc((size_t)crowd_size, sizeof(tlsmem *));
    rounds_of = calloc((size_t)crowd_size, sizeof(int));
    MUST(crowd != NULL && rounds_of != NULL && crowd_loop != NULL);
    MUST(tlsmem_loop_watch(crowd_loop, asked[0], POLLIN, on_word, NULL) == TLSMEM_OK);
    MUST(tlsmem_loop_run(crowd_loop) == TLSMEM_OK);
    _exit(failed_count == 0 ? 0 : 1);
}

/* ---- the server */

static tlsmem_loop *loop;
static int echoed, server_failures, present;

static void echo(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    echoed++;
    IGNORE(tlsmem_write(c, bytes, n) < 0);
}

static void let_go(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    if (report->status != TLSMEM_OK)
        server_failures++;
    tlsmem_free(c);
    present--;
}

static int welcome(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, echo, NULL, NULL, let_go };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    present++;
    return 0;
}

static void on_done(tlsmem_loop *of, int fd, int events, void *user)
{
    char done;
    (void)events, (void)user;
    IGNORE(read(fd, &done, 1) < 0);
    IGNORE(tlsmem_loop_stop(of));
}

/** Has the clients do something, and serves until they have done it. */
static void have(char word)
{
    MUST(write(asked[1], &word, 1) == 1);
    MUST(tlsmem_loop_run(loop) == TLSMEM_OK);
}

static void crowd_comes_and_goes(int expected)
{
    have('o');
    footprint full = step("open and idle", loop);
    CHECK(present == expected, "%d connections", present);
    echoed = 0;
    have('t');
    CHECK(echoed >= (expected + 9) / 10 * ROUNDS, "%d answers", echoed);
    footprint after = step("after a tenth has talked", loop);
    CHECK(after.given_out < full.given_out + full.given_out / 50, "talking left %zu bytes behind",
          after.given_out - full.given_out);
    have('c');
    for (int turns = 0; present > 0 && turns < 10000; turns++)
        IGNORE(tlsmem_loop_run_once(loop, 1000) < 0);
    CHECK(present == 0 && server_failures == 0, "%d connections are left, %d failed", present, server_failures);
}

int main(void)
{
    struct rlimit files;
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    int status;
    begin("crowd");
    MUST(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    MUST(setrlimit(RLIMIT_NOFILE, &files) == 0);
    crowd_size = (int)setting("CROWD", 1000);
    if ((rlim_t)crowd_size + 100 > files.rlim_cur)
        crowd_size = (int)files.rlim_cur - 100;
    client_ctx = context(TLSMEM_CLIENT, 0);
    server_ctx = context(TLSMEM_SERVER, 0);
    loop = tlsmem_loop_new();
    options.host = "127.0.0.1";
    options.backlog = AT_ONCE;
    options.on_accept = welcome;
    MUST(loop != NULL && tlsmem_loop_listen(loop, server_ctx, &options, &listener) == TLSMEM_OK);
    port = tlsmem_listener_port(listener);
    MUST(pipe2(asked, O_CLOEXEC) == 0 && pipe2(answered, O_CLOEXEC) == 0);
    fflush(stdout);
    pid_t clients = fork();
    MUST(clients >= 0);
    if (clients == 0)
        be_the_clients();
    MUST(tlsmem_loop_watch(loop, answered[0], POLLIN, on_done, NULL) == TLSMEM_OK);

    situation("%d connections", crowd_size);
    step("at the beginning", loop);
    crowd_comes_and_goes(crowd_size); /* the first makes what the process keeps: buffers of the thread, OpenSSL's own */
    footprint before = step("before", loop);
    crowd_comes_and_goes(crowd_size);
    footprint gone = step("all closed", loop);
    CHECK(gone.descriptors == before.descriptors, "%d descriptors, %d before", gone.descriptors, before.descriptors);
    CHECK(gone.given_out < before.given_out + 65536, "%zu bytes more are given out", gone.given_out - before.given_out);
    CHECK(gone.resident < before.resident + 4096, "%ld KB more are resident", gone.resident - before.resident);
    MUST(write(asked[1], "q", 1) == 1 && waitpid(clients, &status, 0) == clients);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the clients ended with %d", status);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
