/*
 * tls_proxy.c - TLS in front of any TCP or Unix service (--mode server), or toward one (--mode client).
 *
 * Each thread has a loop, and all of them accept at one socket. The main thread only waits for signals: SIGHUP reads
 * certificates and keys anew, for new sessions; SIGUSR1 prints a line of statistics, and on stderr how each connection of TLS
 * stands; SIGTERM and SIGINT let the sessions end by themselves, for as long as --drain says, and a second one ends them now.
 */
#include "explain.h"
#include "tls_proxy.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 256, SECONDS_MAX = 4000000, THREAD_ENDED = SIGUSR2 };

static void renew_context(struct proxy *p)
{
    tlsmem_ctx *fresh = new_context(p->role, &p->options);
    if (fresh == NULL)
        return; /* the old one stays */
    int status = tlsmem_ctx_reload(p->ctx, fresh);
    if (status != TLSMEM_OK)
        say("all stays as it was: %s", tlsmem_strerror(status));
    else if (p->verbose)
        say("certificates and keys are read anew");
    tlsmem_ctx_free(fresh);
}

/* The bytes that malloc has given out and not got back: unlike resident memory, without what it keeps for later. */
static unsigned long long given_out(void)
{
#if defined __GLIBC__ && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 now = mallinfo2();
    return (unsigned long long)now.uordblks + now.hblkhd; /* in its heaps, and large ones in mappings of their own */
#else
    return 0; /* it does not say, or in an int */
#endif
}

static void print_counts(const struct counts *c)
{
    printf("accepted=%llu active=%llu failed=%llu to_plain=%llu to_tls=%llu memory=%llu\n",
           (unsigned long long)__atomic_load_n(&c->accepted, __ATOMIC_RELAXED),
           (unsigned long long)__atomic_load_n(&c->active, __ATOMIC_RELAXED),
           (unsigned long long)__atomic_load_n(&c->failed, __ATOMIC_RELAXED),
           (unsigned long long)__atomic_load_n(&c->to_plain, __ATOMIC_RELAXED),
           (unsigned long long)__atomic_load_n(&c->to_tls, __ATOMIC_RELAXED), given_out());
    fflush(stdout);
}

static void *run(void *worker)
{
    struct worker *w = worker;
    start_accepting(w);
    while ((!w->draining || w->sessions > 0) && tlsmem_loop_run_once(w->loop, -1) >= 0)
        send_gathered(w);
    COUNT(w->proxy->ended, 1);
    pthread_kill(w->proxy->main, THREAD_ENDED);
    return NULL;
}

/* In the worker's thread. */
static void drain(void *worker)
{
    struct worker *w = worker;
    w->draining = 1;
    stop_accepting(w);
    tlsmem_loop_drain(w->loop, w->proxy->drain * 1000);
}

static void drain_now(void *worker) { tlsmem_loop_drain(((struct worker *)worker)->loop, 0); }

static void explain(struct worker *workers, long n)
{
    tlsmem_loop *loops[THREADS_MAX];
    for (long i = 0; i < n; i++)
        loops[i] = workers[i].loop;
    explain_loops(loops, n);
}

/* Waits for signals, until all threads have ended. */
static void attend_signals(struct proxy *p, struct worker *workers, const sigset_t *signals)
{
    struct timespec interval = { p->stats > 0 ? p->stats : 86400, 0 };
    for (int stopping = 0; __atomic_load_n(&p->ended, __ATOMIC_ACQUIRE) < p->threads;) {
        int number = sigtimedwait(signals, NULL, &interval);
        if (number == SIGUSR1)
            explain(workers, p->threads);
        if (number == SIGHUP)
            renew_context(p);
        else if (number == SIGUSR1 || (number < 0 && errno == EAGAIN && p->stats > 0))
            print_counts(&p->counts);
        else if (number == SIGTERM || number == SIGINT) {
            for (long i = 0; i < p->threads; i++)
                if (tlsmem_loop_post(workers[i].loop, stopping ? drain_now : drain, &workers[i]) != TLSMEM_OK)
                    exit(EXIT_NETWORK);
            stopping = 1;
        }
    }
}

static void block_signals(sigset_t *set)
{
    static const int numbers[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, THREAD_ENDED };
    sigemptyset(set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(set, numbers[i]);
    sigprocmask(SIG_BLOCK, set, NULL); /* before there are threads, which inherit it */
}

int main(int argc, char **argv)
{
    static struct proxy p = { .options = { .host = "127.0.0.1", .port = 4433 }, .threads = 1, .drain = 30 };
    struct place place = { 0 };
    const char *listen = NULL, *upstream = NULL, *mode = "server";
    const struct own_option own[] = {
        { "listen", "HOST:PORT", &listen, NULL, "the same as --host and --port" },
        { "upstream", "PLACE", &upstream, NULL, "HOST:PORT or unix:PATH" },
        { "mode", "server|client", &mode, NULL, "TLS in and plain out, or plain in and TLS out" },
        { "server-name", "NAME", &p.server_name, NULL, "of the upstream, if not its host (client mode)" },
        { "send-proxy", NULL, NULL, &p.send_proxy, "tell the upstream who the client is: PROXY protocol, version 2" },
        { "accept-proxy", NULL, NULL, &p.accept_proxy, "clients begin with such a header" },
        { "threads", "N", NULL, &p.threads, "loops, each in its thread (1)" },
        { "max", "N", NULL, &p.sessions_max, "sessions at once (as many as there are descriptors for)" },
        { "idle", "SECONDS", NULL, &p.idle, "end sessions in which nothing is said for so long (0: none)" },
        { "drain", "SECONDS", NULL, &p.drain, "how long sessions may go on after SIGTERM (30)" },
        { "stats", "SECONDS", NULL, &p.stats, "print a line of statistics so often; SIGUSR1 prints one, too, and more on stderr" },
        { "verbose", NULL, NULL, &p.verbose, "say on stderr why a session failed" },
        { 0 }
    };
    parse_options(argc, argv, "TLS in front of any service, or toward one", &p.options, own);
    p.role = strcmp(mode, "server") == 0 ? TLSMEM_SERVER : TLSMEM_CLIENT;
    if (p.role == TLSMEM_CLIENT && strcmp(mode, "client") != 0)
        usage_error("--mode: %s is neither server nor client", mode);
    if (p.role == TLSMEM_SERVER && !has_identity(&p.options))
        usage_error("--cert and --key are needed, or --pkcs12, --psk or --sites");
    if (p.threads < 1 || p.threads > THREADS_MAX)
        usage_error("--threads: 1 to %d", THREADS_MAX);
    if (p.idle > SECONDS_MAX || p.drain > SECONDS_MAX || p.stats > SECONDS_MAX)
        usage_error("--idle, --drain, --stats: at most %d seconds", SECONDS_MAX);
    if (listen != NULL)
        parse_place("listen", listen, &place);
    if (place.path != NULL)
        usage_error("--listen: HOST:PORT");
    if (place.host != NULL) {
        p.options.host = place.host;
        p.options.port = place.port;
    }
    p.options.limits.idle_ms = (uint32_t)p.idle * 1000;
    p.options.limits.outgoing_high = 2 * PIECE; /* what a client that stops reading may cost, and a piece more */
    p.options.limits.outgoing_low = PIECE;
    p.options.limits.incoming_max = PIECE; /* and a service that stops reading, besides the piece that it refused */
    p.options.limits.incoming_low = PIECE / 2;
    p.ctx = new_context(p.role, &p.options);
    if (p.ctx == NULL)
        return EXIT_TLS;
    if (upstream == NULL)
        usage_error("--upstream is needed");
    parse_place("upstream", upstream, &p.upstream);
    if (p.role == TLSMEM_SERVER)
        look_up_place(&p.upstream);

    limit_sessions(&p);

    sigset_t signals;
    block_signals(&signals);
    p.main = pthread_self();
    p.accepting = p.threads;
    p.listener = listen_on(&p.options);
    struct worker *workers = calloc((size_t)p.threads, sizeof *workers);
    for (long i = 0; i < p.threads; i++) {
        workers[i].proxy = &p;
        workers[i].loop = tlsmem_loop_new();
        if (workers[i].loop == NULL || pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0)
            usage_error("--threads: %ld are too many here", p.threads);
    }
    say_listening(p.options.host, (int)p.options.port);
    attend_signals(&p, workers, &signals);
    for (long i = 0; i < p.threads; i++) {
        pthread_join(workers[i].thread, NULL);
        tlsmem_loop_free(workers[i].loop);
    }
    free(workers);
    tlsmem_ctx_free(p.ctx);
    return EXIT_DONE;
}
