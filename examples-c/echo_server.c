/*
 * echo_server.c - the registry: the library listens, accepts and polls, and this program answers with what it was told.
 *
 * One loop for each thread, all on one port; a socket that a service manager has passed (--inherited) is one loop's,
 * which accepts for all. What tlsmem_write did not take is kept, and the connection is paused
 * until on_drain: a client that sends and never reads costs one bounded buffer, and no other client notices.
 */
#include "common.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

struct server {
    const char *greeting, *client_ca;
    long threads, inherited, max, stats, verbose;
    tlsmem_loop **loops;
    pthread_mutex_t lock; /* for the next two: connections end in any thread */
    long ended;
    int stopping;
};

/* One client. */
struct echo {
    struct server *server;
    struct bytes kept; /* what tlsmem_write did not take */
    int peer_closed;
};

static void stop(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    for (long i = 0; i < s->threads && !s->stopping; i++)
        tlsmem_loop_stop(s->loops[i]);
    s->stopping = 1;
    pthread_mutex_unlock(&s->lock);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct echo *e = user;
    ptrdiff_t taken = tlsmem_write(c, bytes, n);
    if (taken == TLSMEM_AGAIN)
        taken = 0;
    if (taken >= 0 && (size_t)taken < n) { /* else the client takes no answers any more, and on_close is near */
        keep(&e->kept, (const char *)bytes + taken, n - (size_t)taken);
        tlsmem_pause(c);
    }
}

static void on_drain(tlsmem *c, void *user)
{
    struct echo *e = user;
    struct bytes kept = e->kept;
    e->kept = (struct bytes) { NULL, 0, 0 };
    on_data(c, kept.at, kept.n, e); /* keeps again what is not taken now either */
    free(kept.at);
    if (e->kept.n > 0)
        return;
    tlsmem_resume(c);
    if (e->peer_closed)
        tlsmem_close(c);
}

static void on_eof(tlsmem *c, void *user)
{
    struct echo *e = user;
    e->peer_closed = 1;
    if (e->kept.n == 0)
        tlsmem_close(c); /* after what was written */
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct echo *e = user;
    struct server *s = e->server;
    if (s->stats)
        print_stats(stdout, c, report);
    if (s->verbose)
        say_failure(c);
    drop(&e->kept, e->kept.n);
    free(e);
    tlsmem_free(c);
    pthread_mutex_lock(&s->lock);
    int last = ++s->ended == s->max;
    pthread_mutex_unlock(&s->lock);
    if (last)
        stop(s);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, on_drain, on_eof, on_close };
    struct server *s = user;
    struct echo *e = calloc(1, sizeof *e);
    (void)listener;
    if (e == NULL)
        return -1;
    e->server = s;
    accepted->callbacks = &callbacks;
    accepted->user = e;
    /* Nothing was received yet, so this waits for the handshake, and is the first thing that the client reads. */
    size_t n = s->greeting != NULL ? strlen(s->greeting) : 0;
    if (tlsmem_write(accepted->connection, s->greeting, n) == (ptrdiff_t)n)
        return 0;
    free(e);
    return -1;
}

static void on_signal(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop, (void)fd, (void)events;
    stop(user);
}

static void *run(void *loop)
{
    if (tlsmem_loop_run(loop) != TLSMEM_OK)
        say("the loop failed: %s", strerror(errno));
    return NULL;
}

static tlsmem_ctx *context(const struct options *o, const struct server *s)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    int v = o->tls_version;
    if (tlsmem_ctx_set_cert_file(ctx, o->cert) || tlsmem_ctx_set_key_file(ctx, o->key)
        || (o->ca && (tlsmem_ctx_set_ca_file(ctx, o->ca) || tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL)))
        || (s->client_ca && tlsmem_ctx_set_ca_file(ctx, s->client_ca))
        || (s->client_ca && tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED))
        || (o->alpn && tlsmem_ctx_set_alpn(ctx, o->alpn)) || (o->keylog && tlsmem_ctx_set_keylog(ctx, o->keylog))
        || (v && (tlsmem_ctx_set_min_version(ctx, v) || tlsmem_ctx_set_max_version(ctx, v))))
        context_refused(ctx);
    return ctx;
}

/* Every loop listens, and the kernel spreads the clients. */
static int listen_on_port(struct server *s, tlsmem_ctx *ctx, struct options *o)
{
    tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    int status = TLSMEM_OK;
    how.host = o->host;
    how.reuse_port = s->threads > 1;
    how.on_accept = on_accept;
    how.user = s;
    for (long i = 0; i < s->threads && status == TLSMEM_OK; i++) {
        how.port = (int)o->port;
        status = tlsmem_loop_listen(s->loops[i], ctx, &how, &listener);
        o->port = tlsmem_listener_port(listener); /* the first may have found a free one; the rest join it */
    }
    return status;
}

/* One loop accepts, and all serve in turn. */
static int listen_inherited(struct server *s, tlsmem_ctx *ctx, struct options *o)
{
    tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    how.fd = tlsmem_inherited_fd(0);
    how.on_accept = on_accept;
    how.user = s;
    if (how.fd < 0)
        usage_error("--inherited: nobody has passed a socket");
    int status = tlsmem_loop_listen(s->loops[0], ctx, &how, &listener);
    for (long i = 0; i < s->threads && status == TLSMEM_OK; i++)
        status = tlsmem_listener_add_loop(listener, s->loops[i]);
    if (status == TLSMEM_OK)
        o->port = tlsmem_listener_port(listener);
    return status;
}

int main(int argc, char **argv)
{
    struct options o = { .host = "127.0.0.1", .port = 4433 };
    struct server s = { .threads = 1, .lock = PTHREAD_MUTEX_INITIALIZER };
    const struct own_option own[] = {
        ECHO_OPTIONS(s),
        { "threads", "N", NULL, &s.threads, "run N loops on the one port (1)" },
        { "inherited", NULL, NULL, &s.inherited, "listen on the socket that a service manager passes (LISTEN_FDS)" },
        { 0 },
    };
    parse_options(argc, argv, "sends every byte back, over TLS, in the library's own loop", &o, own);
    if (o.cert == NULL || o.key == NULL)
        usage_error("--cert and --key are needed");
    if (s.threads < 1 || s.threads > 256)
        usage_error("--threads: 1 to 256");

    int signals = stop_descriptor(); /* before the threads, which inherit what is blocked */
    tlsmem_ctx *ctx = context(&o, &s);
    tlsmem_loop *loops[256];
    pthread_t threads[256];
    s.loops = loops;
    for (long i = 0; i < s.threads; i++)
        loops[i] = tlsmem_loop_new();
    int status = s.inherited ? listen_inherited(&s, ctx, &o) : listen_on_port(&s, ctx, &o);
    if (status != TLSMEM_OK)
        return cannot_listen(&o, status);
    watch(loops[0], signals, POLLIN, on_signal, &s);
    say_listening(o.host, (int)o.port);

    for (long i = 1; i < s.threads; i++)
        if (pthread_create(&threads[i], NULL, run, loops[i]) != 0)
            usage_error("--threads: %ld are too many here", s.threads);
    run(loops[0]);
    stop(&s);
    for (long i = 1; i < s.threads; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < s.threads; i++)
        tlsmem_loop_free(loops[i]); /* ends the connections that are left */
    tlsmem_ctx_free(ctx);
    return EXIT_DONE;
}
