/*
 * http_server.c - the HTTP servers' options, threads and signals.
 *
 * One loop for each thread, all on one port. At SIGTERM nobody is accepted any more, what is under way is answered within
 * some seconds, and the program ends; a second SIGTERM ends it now. SIGUSR1 prints how each connection stands.
 */
#include "explain.h"
#include "http.h"
#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_signal(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct server *s = user;
    struct signalfd_siginfo info;
    (void)loop, (void)events;
    if (read(fd, &info, sizeof info) < 0)
        return;
    for (long i = 0; i < s->threads; i++) {
        if (!s->stopping && tlsmem_loop_post(s->workers[i].loop, leave_clients, &s->workers[i]) != TLSMEM_OK)
            exit(EXIT_NETWORK);
        tlsmem_loop_drain(s->workers[i].loop, s->stopping ? 0 : GRACE_MS);
    }
    s->stopping = 1;
}

static void *run(void *loop)
{
    if (tlsmem_loop_run(loop) != TLSMEM_OK)
        say("the loop failed: %s", strerror(errno));
    return NULL;
}

static void open_places(struct server *s)
{
    s->root = s->root_name != NULL ? open(s->root_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (s->root_name != NULL && s->root < 0)
        usage_error("--root: %s: %s", s->root_name, strerror(errno));
    if (s->log_name != NULL)
        s->log = strcmp(s->log_name, "-") == 0 ? stdout : fopen(s->log_name, "ae");
    if (s->log_name != NULL && s->log == NULL)
        usage_error("--log: %s: %s", s->log_name, strerror(errno));
    if (s->log != NULL)
        setvbuf(s->log, NULL, _IOLBF, 0); /* whole lines, also of several threads */
}

int serve(int argc, char **argv, const char *about, const char *alpn, const struct protocol *h2)
{
    static struct server s = { .options = { .host = "127.0.0.1", .port = 4433 }, .threads = 1, .timeout = 15,
                               .head_max = 16384, .body_max = 1048576 };
    const struct own_option own[] = {
        LOOPS_OPTIONS(s, s.options),
        { "root", "DIR", &s.root_name, NULL, "serve the files in it (none)" },
        { "log", "FILE", &s.log_name, NULL, "append a line for each request, in the common log format; - for stdout" },
        { "metrics", NULL, NULL, &s.metrics, "answer GET /metrics with the numbers of TLS, as Prometheus reads them (404)" },
        { "timeout", "SECONDS", NULL, &s.timeout, "wait so long for a request, and for bytes to be taken (15)" },
        { "head-max", "BYTES", NULL, &s.head_max, "of a request's head (16384)" },
        { "body-max", "BYTES", NULL, &s.body_max, "of a request's body (1048576)" },
        { "stats", NULL, NULL, &s.stats, "print a line about each connection that ends" },
        { "verbose", NULL, NULL, &s.verbose, "say on stderr why a connection failed" },
        { 0 }
    };
    s.options.alpn = alpn;
    s.h2 = h2;
    parse_options(argc, argv, about, &s.options, own);
    if (s.threads < 1 || s.threads > THREADS_MAX)
        usage_error("--threads: 1 to %d", THREADS_MAX);
    if (s.timeout < 1 || s.timeout > 86400)
        usage_error("--timeout: 1 to 86400 seconds");
    if (s.head_max < 1024 || s.head_max > 1048576)
        usage_error("--head-max: 1024 to 1048576 bytes");
    if (s.metrics && s.options.sites != NULL)
        usage_error("--metrics: not with --sites, which has each client count in a context of its own");

    http_parser_set_max_header_size((uint32_t)s.head_max); /* of all parsers */
    s.signals = stop_descriptor(); /* before the threads, which inherit what is blocked */
    s.options.limits.write_ms = (uint32_t)s.timeout * 1000;
    s.options.limits.close_ms = CLOSE_MS;
    tlsmem_ctx *ctx = s.ctx = server_context(&s.options);
    open_places(&s);

    tlsmem_loop *loops[THREADS_MAX];
    s.workers = calloc((size_t)s.threads, sizeof *s.workers);
    for (long i = 0; i < s.threads; i++) {
        s.workers[i].server = &s;
        s.workers[i].loop = loops[i] = tlsmem_loop_new();
    }
    listen_in(loops, s.threads, ctx, &s.options, accept_client, &s);
    watch(loops[0], s.signals, POLLIN, on_signal, &s);
    static struct reloading reloading;
    reload_at_hangup(&reloading, loops[0], ctx, &s.options);
    static struct explaining explaining;
    explain_at_signal(&explaining, loops, s.threads);
    say_listening(s.options.host, (int)s.options.port);
    for (long i = 1; i < s.threads; i++)
        if (pthread_create(&s.workers[i].thread, NULL, run, loops[i]) != 0)
            usage_error("--threads: %ld are too many here", s.threads);
    run(loops[0]);
    for (long i = 1; i < s.threads; i++)
        pthread_join(s.workers[i].thread, NULL);
    for (long i = 0; i < s.threads; i++)
        tlsmem_loop_free(loops[i]); /* ends the connections that are left */
    tlsmem_ctx_free(ctx);
    free(s.workers);
    return EXIT_DONE;
}
