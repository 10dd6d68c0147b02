/* Names: which addresses are tried in which order, and a resolver that is slow or finds nothing. */
#define _GNU_SOURCE
#include "connects.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static attempt a;

static void open_name(const char *six, const char *four)
{
    resolver_answers(six, four);
    attempt_open(&a, SCRIPTED, live_port);
    MUST(tlsmem_set_server_name(a.e.c, "localhost") == TLSMEM_OK);
}

/* ---- nothing found */

static void not_found(void)
{
    static const struct { const char *six, *four, *says; int system; } cases[] = {
        { NULL, NULL, "Name or service not known", 0 },
        { "again", NULL, "Temporary failure in name resolution", 0 },
        { NULL, "again", "Temporary failure in name resolution", 0 },
        { "emfile", NULL, "Too many open files", EMFILE },
    };
    for (int i = 0; i < 4; i++) {
        situation("a name that does not resolve: %s", cases[i].says);
        open_name(cases[i].six, cases[i].four);
        attempt_begin(&a, loop);
        CHECK(turn_until(loop, ended, &a), "nothing happens any more");
        attempt_failed(&a, TLSMEM_ERESOLVE, cases[i].system, SCRIPTED ": ", cases[i].says);
        CHECK(a.attempts == 0, "%d attempts", a.attempts);
        attempt_finish(&a);
    }
    situation("a name of the other family than where we connect from");
    open_name("::1", NULL);
    a.options.bind_host = "127.0.0.1";
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_ERESOLVE, 0, SCRIPTED ": ", "not known");
    attempt_finish(&a);
    situation("no thread is to be had");
    open_name(NULL, "127.0.0.1");
    wait_for_threads();
    threads_are_refused = 1;
    errno = 0;
    CHECK_STATUS(tlsmem_loop_connect(loop, a.e.c, &a.options), TLSMEM_ESYSTEM);
    CHECK(errno == EAGAIN && state_of(a.e.c) == TLSMEM_STATE_NEW, "errno %d", errno);
    threads_are_refused = 0;
    attempt_begin(&a, loop);
    attempt_converses(&a, loop);
    attempt_finish(&a);
}

/* ---- the order of attempts */

#define NINE "127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14 127.0.0.15 127.0.0.16 127.0.0.17 127.0.0.18 127.0.0.19 "

static void order(void)
{
    situation("ten addresses, of which the last answers");
    open_name(NULL, NINE "127.0.0.1");
    attempt_begin(&a, loop);
    attempt_converses(&a, loop);
    CHECK(a.attempts == 10 && a.failures == 9 && strcmp(a.last, "127.0.0.1") == 0, "%s", a.all);
    attempt_finish(&a);
    situation("ten addresses, and none answers");
    open_name(NULL, NINE "127.0.0.20");
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_ECONNECT, ECONNREFUSED, "127.0.0.11:", ", 127.0.0.20:");
    CHECK(a.attempts == 10 && a.failures == 10, "%d attempts", a.attempts);
    attempt_finish(&a);
    situation("the same address twice");
    open_name(NULL, "127.0.0.11 127.0.0.11 127.0.0.1 127.0.0.1");
    attempt_begin(&a, loop);
    attempt_converses(&a, loop);
    CHECK(a.attempts == 2, "%s", a.all);
    attempt_finish(&a);
    if (!has_six)
        return;
    situation("the families take turns, IPv6 first, whoever is found first");
    open_name("::1 fe80::1 fe80::2", "127.0.0.11 127.0.0.1");
    a.options.resolution_delay_ms = 60000;
    a.options.connect_ms = 0;
    resolver_hold(AF_INET6);
    attempt_begin(&a, loop);
    while (tlsmem_loop_timeout(loop) <= 0) /* until IPv4 waits for IPv6 */
        MUST(turn(loop) > 0);
    resolver_release();
    attempt_converses(&a, loop);
    CHECK(strncmp(a.all, "::1 127.0.0.11 fe80::1", 22) == 0, "%s", a.all);
    attempt_finish(&a);
}

/** No answer from the first address, or from both of two: the next one need not wait for that. */
static void silence(void)
{
    situation("an address that never answers, and one that does");
    silent mute = keep_silent("127.0.0.2", live_port);
    open_name(NULL, "127.0.0.2 127.0.0.1");
    int64_t began = tlsmem_now();
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, established, &a), "nothing happens any more");
    printf("connects: established beside an address that never answers in %d ms, attempts told of: %s\n",
           (int)(tlsmem_now() - began), a.all);
    CHECK(a.attempts == 1 && strcmp(a.last, "127.0.0.1") == 0, "told of %s", a.all);
    attempt_converses(&a, loop);
    attempt_finish(&a);
    situation("an address that never answers, and one that refuses, within connect_ms");
    open_name(NULL, "127.0.0.2 127.0.0.3");
    a.options.connect_ms = 100;
    a.options.attempt_delay_ms = 10;
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, ended, &a), "nothing happens any more");
    attempt_failed(&a, TLSMEM_ETIMEOUT, ECONNREFUSED, "127.0.0.3:", "no answer");
    attempt_finish(&a);
    speak_again(&mute);
}

/* ---- a slow resolver */

static void *release_when_asked(void *arg)
{
    resolver_wait_for(*(int *)arg);
    resolver_release();
    return NULL;
}

/** Nothing is in the loop but the one that waits for the resolver. */
static void keeps_running(void)
{
    pthread_t thread;
    int both = 2;
    situation("a loop runs as long as somebody waits for the resolver");
    tlsmem_loop *lonely = tlsmem_loop_new();
    open_name("again", NULL);
    a.options.connect_ms = 0;
    resolver_hold(AF_UNSPEC);
    attempt_begin(&a, lonely);
    CHECK(tlsmem_deadline(a.e.c) == -1, "a deadline without connect_ms");
    while (tlsmem_loop_run_once(lonely, 0) > 0)
        ;
    CHECK_STATUS(tlsmem_loop_timeout(lonely), -1);
    CHECK_STATUS(tlsmem_tick(a.e.c, INT64_MAX), TLSMEM_OK);
    MUST(pthread_create(&thread, NULL, release_when_asked, &both) == 0);
    CHECK_STATUS(tlsmem_loop_run(lonely), TLSMEM_OK);
    attempt_failed(&a, TLSMEM_ERESOLVE, 0, SCRIPTED, "Temporary");
    pthread_join(thread, NULL);
    attempt_finish(&a);
    tlsmem_loop_free(lonely);
}

static void count(tlsmem_timer *timer, void *user)
{
    int *ticks = user;
    if (++*ticks == 5)
        resolver_release();
    else
        tlsmem_timer_set(timer, 1);
}

static void keeps_turning(void)
{
    int ticks = 0;
    situation("the loop turns while the resolver works");
    open_name(NULL, "127.0.0.1");
    resolver_hold(AF_UNSPEC);
    attempt_begin(&a, loop);
    tlsmem_timer *timer = tlsmem_loop_timer(loop, 1, count, &ticks);
    attempt_converses(&a, loop);
    CHECK(ticks == 5, "%d ticks", ticks);
    tlsmem_timer_free(timer);
    attempt_finish(&a);
}

/** IPv4 is there, IPv6 never comes: it is not waited for beyond its delay. */
static void one_family_hangs(void)
{
    situation("the resolver never answers about IPv6");
    open_name("::1", "127.0.0.1");
    resolver_hold(AF_INET6);
    int64_t began = tlsmem_now();
    attempt_begin(&a, loop);
    CHECK(turn_until(loop, established, &a), "nothing happens any more");
    printf("connects: established without an answer about IPv6 in %d ms\n", (int)(tlsmem_now() - began));
    attempt_converses(&a, loop);
    attempt_finish(&a);
    resolver_release();
}

/* ---- fork */

/** The child's own loop and server; the resolver's threads are the parent's, and so are their questions. */
static int child_connects(void)
{
    int port = 0;
    tlsmem_loop *own = tlsmem_loop_new();
    serve(own, "127.0.0.1", &port);
    attempt_open(&a, "localhost", port);
    return tlsmem_loop_connect(own, a.e.c, &a.options) == TLSMEM_OK && turn_until(own, established, &a)
           && a.e.established == 1;
}

static void forked(void)
{
    enum { NAMES = 8 };
    static attempt all[NAMES];
    int status;
    situation("a child of fork connects, while the resolver is at its limit in the parent");
    resolver_answers(NULL, NULL);
    resolver_hold(AF_UNSPEC);
    for (int i = 0; i < NAMES; i++) {
        attempt_open(&all[i], SCRIPTED, live_port);
        attempt_begin(&all[i], loop);
    }
    resolver_wait_for(2 * NAMES);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        alarm(20);
        if (child_connects()) /* what the parent's threads hold is lost here, and a watcher would say so at an exit */
            execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    MUST(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", (unsigned)status);
    resolver_release();
    for (int i = 0; i < NAMES; i++) {
        CHECK(turn_until(loop, ended, &all[i]), "nothing happens any more");
        attempt_finish(&all[i]);
    }
}

/* ---- the clock of the handshake */

static void handshake_clock(void)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    situation("the handshake's deadline begins with the connection");
    limits.handshake_ms = 100000;
    tlsmem_ctx *usual = client_ctx;
    client_ctx = context_limited(TLSMEM_CLIENT, 0, &limits);
    open_name(NULL, "127.0.0.1");
    a.options.connect_ms = 0;
    CHECK_STATUS(tlsmem_write(a.e.c, "x", 1), 1); /* begins the handshake's clock, until it connects */
    CHECK(tlsmem_deadline(a.e.c) > 0, "no deadline before");
    resolver_hold(AF_UNSPEC);
    attempt_begin(&a, loop);
    CHECK_STATUS(tlsmem_tick(a.e.c, tlsmem_now() + 200000), TLSMEM_OK);
    CHECK_STATUS(tlsmem_deadline(a.e.c), -1);
    resolver_wait_for(2);
    resolver_release();
    while (tlsmem_fd(a.e.c) < 0)
        MUST(turn(loop) > 0);
    CHECK(a.e.established || tlsmem_deadline(a.e.c) > tlsmem_now() + 90000, "its deadline is %lld",
          (long long)tlsmem_deadline(a.e.c));
    a.e.stream = 1; /* the byte comes back */
    CHECK(turn_until(loop, established, &a), "nothing happens any more");
    a.e.wrong = 0;
    attempt_finish(&a);
    tlsmem_ctx_free(client_ctx);
    client_ctx = usual;
}

void names(void)
{
    void (*const parts[])(void) = {
        not_found, order, silence, keeps_running, keeps_turning, one_family_hangs, forked, handshake_clock
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        open_stage();
        parts[i]();
        close_stage();
    }
}
