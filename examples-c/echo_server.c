/*
 * echo_server.c - the registry: the library listens, accepts and polls, and this program answers with what it was told.
 *
 * One loop for each thread, all on one port. It keeps no bytes: while too many answers wait, their client is not heard.
 * SIGUSR1 has it print on stderr how each connection stands.
 */
#include "explain.h"
#include "facts.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
enum { THREADS_MAX = 256 };
struct server {
    const char *greeting;
    long threads, max, stats, verbose, show_cert, ended; /* connections end in any thread */
    tlsmem_loop *loops[THREADS_MAX];
    struct reloading reloading;
    struct explaining explaining;
};

/* A signal has come, or enough connections have ended. */
static void stop(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct server *s = user;
    (void)loop, (void)fd, (void)events;
    for (long i = 0; i < s->threads; i++)
        tlsmem_loop_stop(s->loops[i]);
}

static void on_established(tlsmem *c, void *user)
{
    struct server *s = user;
    if (s->show_cert)
        show_peer(c);
}

/* manual: pace */
static void on_data(tlsmem *c, const void *bytes, size_t n,
                    void *user)
{
    (void)user;
    if (tlsmem_write(c, bytes, n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c); /* on_drain will come */
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_resume(c);
}
/* end of pace */

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct server *s = user;
    if (s->stats)
        print_stats(stdout, c, report);
    if (s->verbose)
        say_failure(c);
    tlsmem_free(c);
    if (__sync_add_and_fetch(&s->ended, 1) == s->max)
        stop(NULL, -1, 0, s);
}

/* manual: accept */
static int on_accept(tlsmem_listener *listener,
                     tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = {
        sizeof callbacks,
        on_established, on_data, on_drain, NULL, on_close,
    };
    struct server *s = user;
    size_t n = strlen(s->greeting);
    (void)listener;
    accepted->callbacks = &callbacks;
    accepted->user = s;
    /* What is written waits for the handshake. */
    return tlsmem_write(accepted->connection, s->greeting, n) < 0;
}
/* end of accept */

static void *run(void *loop)
{
    if (tlsmem_loop_run(loop) != TLSMEM_OK)
        say("the loop failed: %s", strerror(errno));
    return NULL;
}

int main(int argc, char **argv)
{
    struct options o = { .host = "127.0.0.1", .port = 4433 };
    static struct server s = { .greeting = "", .threads = 1 };
    const struct own_option own[] = {
        LOOPS_OPTIONS(s, o), ECHO_OPTIONS(s),
        { "show-cert", NULL, NULL, &s.show_cert, "print what is known of each client on stderr, and its certificates" },
        { 0 },
    };
    parse_options(argc, argv, "sends every byte back, over TLS, in the library's own loop", &o, own);
    if (s.threads < 1 || s.threads > THREADS_MAX)
        usage_error("--threads: 1 to %d", THREADS_MAX);

    int signals = stop_descriptor(); /* before the threads, which inherit what is blocked */
    tlsmem_ctx *ctx = server_context(&o);
    pthread_t threads[THREADS_MAX];
    for (long i = 0; i < s.threads; i++)
        s.loops[i] = tlsmem_loop_new();
    listen_in(s.loops, s.threads, ctx, &o, on_accept, &s);
    watch(s.loops[0], signals, POLLIN, stop, &s);
    reload_at_hangup(&s.reloading, s.loops[0], ctx, &o);
    explain_at_signal(&s.explaining, s.loops, s.threads);
    say_listening(o.host, (int)o.port);

    for (long i = 1; i < s.threads; i++)
        if (pthread_create(&threads[i], NULL, run, s.loops[i]) != 0)
            usage_error("--threads: %ld are too many here", s.threads);
    run(s.loops[0]);
    stop(NULL, -1, 0, &s);
    for (long i = 1; i < s.threads; i++)
        pthread_join(threads[i], NULL);
    s.max = 0; /* what ends now stops nothing any more */
    for (long i = 0; i < s.threads; i++)
        tlsmem_loop_free(s.loops[i]); /* ends the connections that are left */
    tlsmem_ctx_free(ctx);
    return EXIT_DONE;
}
