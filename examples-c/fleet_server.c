/*
 * fleet_server.c - echo servers that share the sessions of their clients through Redis: who was with one may come back to any.
 *
 * A handshake that needs a session waits for Redis, and nothing else does. Without Redis every handshake is a whole one.
 */
#include "explain.h"
#include "fleet_redis.h"
#include <poll.h>
#include <string.h>

static struct server {
    tlsmem_loop *loop;
    const char *greeting;
    long redis, stats, verbose, max, ended;
    struct explaining explaining;
} s = { .greeting = "", .redis = 6379 };

static void stop(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)fd, (void)events, (void)user;
    tlsmem_loop_stop(loop);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (tlsmem_write(c, bytes, n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_resume(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    if (s.stats)
        print_stats(stdout, c, report);
    if (s.verbose)
        say_failure(c);
    tlsmem_free(c);
    if (++s.ended == s.max)
        tlsmem_loop_stop(s.loop);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, on_drain, NULL, on_close };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return tlsmem_write(accepted->connection, s.greeting, strlen(s.greeting)) < 0;
}

int main(int argc, char **argv)
{
    struct options o = { .host = "127.0.0.1", .port = 4433 };
    const struct own_option own[] = {
        ECHO_OPTIONS(s),
        { "redis", "PORT", NULL, &s.redis, "where on this machine sessions are kept (6379)" },
        { 0 },
    };
    parse_options(argc, argv, "sends every byte back, over TLS, to clients that any of its kind knows", &o, own);
    if (s.redis < 1 || s.redis > 65535)
        usage_error("--redis: 1 to 65535");
    int signals = stop_descriptor();
    tlsmem_ctx *ctx = server_context(&o);
    s.loop = tlsmem_loop_new();
    if (share_sessions(ctx, s.loop, (int)s.redis) != TLSMEM_OK)
        context_refused(ctx);
    listen_in(&s.loop, 1, ctx, &o, on_accept, &s);
    watch(s.loop, signals, POLLIN, stop, &s);
    explain_at_signal(&s.explaining, &s.loop, 1);
    say_listening(o.host, (int)o.port);
    int status = tlsmem_loop_run(s.loop);
    tlsmem_loop_free(s.loop); /* ends the connections that are left */
    tlsmem_ctx_free(ctx);
    return exit_code(status);
}
