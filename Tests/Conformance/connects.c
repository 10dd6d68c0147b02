/* Whom tlsmem_loop_connect reaches, and what it says when it reaches nobody. */
#define _GNU_SOURCE
#include "connects.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

tlsmem_loop *loop;
int live, live_port, has_six;
static int descriptors;
static attempt a;

void open_stage(void)
{
    descriptors = open_descriptors();
    live_port = 0;
    loop = tlsmem_loop_new();
    MUST(loop != NULL);
    live = serve(loop, "127.0.0.1", &live_port);
}

void close_stage(void)
{
    serve_no_more(loop, live);
    while (tlsmem_loop_run_once(loop, 0) > 0)
        ;
    tlsmem_loop_free(loop);
    wait_for_threads(); /* one that has just answered lets go of its door into the loop as the last thing */
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

/* ---- reached */

static void reached(const char *where)
{
    attempt_begin(&a, loop);
    attempt_converses(&a, loop);
    CHECK(a.attempts == 1 && a.failures == 0 && strcmp(a.last, where) == 0, "%d attempts, %d failed: %s", a.attempts,
          a.failures, a.all);
    attempt_finish(&a);
}

static void to_addresses(void)
{
    situation("an IPv4 address");
    attempt_open(&a, "127.0.0.1", live_port);
    reached("127.0.0.1");
    situation("an IPv4 address in another spelling");
    attempt_open(&a, "127.1", live_port);
    reached("127.0.0.1");
    situation("from an address");
    attempt_open(&a, "127.0.0.1", live_port);
    a.options.bind_host = "127.0.0.9";
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, established, &a), "nothing happens any more");
    place mine;
    socklen_t n = sizeof mine;
    MUST(getsockname(tlsmem_fd(a.e.c), &mine.any, &n) == 0);
    CHECK(ntohl(mine.four.sin_addr.s_addr) == 0x7f000009, "it comes from another address");
    attempt_converses(&a, loop);
    attempt_finish(&a);
    if (!has_six)
        return;
    situation("an IPv6 address");
    int port = 0, six = serve(loop, "::1", &port);
    attempt_open(&a, "::1", port);
    reached("::1");
    situation("an IPv6 address, from an address");
    attempt_open(&a, "::1", port);
    a.options.bind_host = "::1";
    reached("::1");
    serve_no_more(loop, six);
}

static void to_paths(void)
{
    static const char *const paths[] = { "/tmp/tlsmem-connects.%d", "@tlsmem-connects.%d" };
    for (int i = 0; i < 2; i++) {
        char path[64];
        int port = 0;
        situation("a Unix socket, %s", i == 0 ? "by its path" : "abstract");
        snprintf(path, sizeof path, paths[i], (int)getpid());
        unlink(path);
        int fd = serve(loop, path, &port);
        attempt_open_path(&a, path);
        reached("unix");
        serve_no_more(loop, fd);
        attempt_open_path(&a, path);
        attempt_begin(&a, loop);
        CHECK(turn_until(loop, ended, &a), "nothing happens any more");
        attempt_failed(&a, TLSMEM_ECONNECT, ECONNREFUSED, path, "Connection refused");
        attempt_finish(&a);
        unlink(path);
    }
    situation("a path where nothing is");
    attempt_open_path(&a, "/nonexistent/tlsmem");
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_ECONNECT, ENOENT, "unix:/nonexistent/tlsmem: ", "No such file");
    attempt_finish(&a);
}

/* ---- not reached */

static void refused(void)
{
    int port, fd = refuse(&port);
    char text[32];
    situation("nobody listens");
    attempt_open(&a, "127.0.0.1", port);
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    snprintf(text, sizeof text, "127.0.0.1:%d: ", port);
    attempt_failed(&a, TLSMEM_ECONNECT, ECONNREFUSED, text, "Connection refused");
    CHECK(a.attempts == 1 && a.last_errno == ECONNREFUSED, "%d attempts", a.attempts);
    attempt_finish(&a);
    situation("an address to connect from that is not ours");
    attempt_open(&a, "127.0.0.1", live_port);
    a.options.bind_host = "192.0.2.1"; /* reserved for documentation */
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_ECONNECT, EADDRNOTAVAIL, "127.0.0.1:", "assign");
    attempt_finish(&a);
    close(fd);
    situation("no descriptor is to be had");
    struct rlimit limit, none;
    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 3;
    attempt_open(&a, "127.0.0.1", live_port);
    attempt_begin(&a, loop);
    MUST(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    attempt_failed(&a, TLSMEM_ECONNECT, EMFILE, "127.0.0.1:", "Too many open files");
    attempt_finish(&a);
}

/* ---- names of servers */

static void server_names(void)
{
    situation("the host is the name that is verified");
    attempt_open(&a, "127.0.0.2", 0); /* not in the certificate */
    a.options.port = live_port;
    int port = live_port, second = serve(loop, "127.0.0.2", &port);
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_EHOST, 0, "certificate", "host");
    a.e.wrong = 0;
    attempt_finish(&a);
    situation("a name that the program has set stays");
    attempt_open(&a, "127.0.0.2", live_port);
    CHECK_STATUS(tlsmem_set_server_name(a.e.c, "localhost"), TLSMEM_OK);
    reached("127.0.0.2");
    situation("a name that the program sets meanwhile holds");
    attempt_open(&a, "127.0.0.2", live_port);
    attempt_begin(&a, loop);
    CHECK_STATUS(tlsmem_handshake(a.e.c), TLSMEM_AGAIN); /* nothing has begun by that */
    CHECK_STATUS(tlsmem_set_server_name(a.e.c, "localhost"), TLSMEM_OK);
    attempt_converses(&a, loop);
    attempt_finish(&a);
    serve_no_more(loop, second);
}

/* ---- many */

enum { MANY = 1000 };

static void many(const char *host, int count)
{
    static attempt all[MANY];
    int clean = 0, before = served;
    int64_t began = tlsmem_now();
    for (int i = 0; i < count; i++) {
        attempt_open(&all[i], host, live_port);
        if (strcmp(host, SCRIPTED) == 0)
            MUST(tlsmem_set_server_name(all[i].e.c, "localhost") == TLSMEM_OK);
        attempt_begin(&all[i], loop);
    }
    if (strcmp(host, SCRIPTED) == 0) { /* nobody is answered before there are as many questions as there can be */
        resolver_wait_for(16);
        resolver_release();
    }
    for (int i = 0; i < count; i++) {
        attempt_converses(&all[i], loop);
        clean += all[i].attempts == 1 && all[i].e.report.status == TLSMEM_OK;
    }
    CHECK(clean == count && served - before == count, "%d of %d, %d served", clean, count, served - before);
    printf("connects: %d connections to %s at once, set up, used and closed in %d ms\n", count, host,
           (int)(tlsmem_now() - began));
    for (int i = 0; i < count; i++)
        attempt_finish(&all[i]);
}

static void crowds(void)
{
    situation("many at once");
    many("127.0.0.1", short_run() ? 50 : MANY);
    situation("many at once by name");
    resolver_answers(NULL, "127.0.0.1");
    resolver_hold(AF_UNSPEC);
    many(SCRIPTED, short_run() ? 20 : 200);
    CHECK(resolver_most() == 16, "%d questions at once", resolver_most());
    printf("connects: %d questions to the resolver, %d at once\n", resolver_all(), resolver_most());
}

int main(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    begin("connects");
    limits.handshake_ms = 0; /* a thousand at once take their time under valgrind */
    client_ctx = context_limited(TLSMEM_CLIENT, 0, &limits);
    server_ctx = context_limited(TLSMEM_SERVER, 0, &limits);
    int port = 0;
    tlsmem_loop *probe = tlsmem_loop_new();
    place six = place_of("::1", port);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    has_six = fd >= 0 && bind(fd, &six.any, sizeof six.six) == 0;
    close(fd);
    tlsmem_loop_free(probe);
    void (*const parts[])(void) = { to_addresses, to_paths, refused, server_names, crowds };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        open_stage();
        parts[i]();
        close_stage();
    }
    meanwhile();
    inside();
    names();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
