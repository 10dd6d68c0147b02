/* leaver.c - a plugin that leaves live connections behind, and frees what could call back into it: see leaving.c. */
#define _GNU_SOURCE
#include "leaving.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static tlsmem_api tls;
static struct left *left;

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)c, (void)bytes, (void)n, (void)user;
    left->called++;
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    left->called++;
    tls.free(c);
}

static void on_line(tlsmem *c, const char *line, void *user)
{
    (void)c, (void)line, (void)user;
    left->called++;
}

static void on_timer(tlsmem_timer *timer, void *user)
{
    (void)timer, (void)user;
    left->called++;
}

static void on_fd(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop, (void)fd, (void)events, (void)user;
    left->called++;
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    left->called++;
    return 1;
}

static void on_post(void *arg)
{
    (void)arg;
    left->called++;
}

static void on_attempt(tlsmem *c, const struct sockaddr *to, socklen_t n, int sys_errno, void *user)
{
    (void)c, (void)to, (void)n, (void)sys_errno, (void)user;
    left->called++;
}

static struct two make(const char *certs, const tlsmem_callbacks *callbacks)
{
    char path[4096];
    struct two two;
    tlsmem_ctx *ctx[2] = { tls.ctx_new(TLSMEM_CLIENT), tls.ctx_new(TLSMEM_SERVER) };
    snprintf(path, sizeof path, "%s/ca.pem", certs);
    MUST(tls.ctx_set_ca_file(ctx[0], path) == TLSMEM_OK);
    snprintf(path, sizeof path, "%s/server.pem", certs);
    MUST(tls.ctx_set_cert_file(ctx[1], path) == TLSMEM_OK);
    snprintf(path, sizeof path, "%s/server.key", certs);
    MUST(tls.ctx_set_key_file(ctx[1], path) == TLSMEM_OK);
    for (int i = 0; i < 2; i++) {
        MUST(callbacks == NULL || tls.ctx_set_keylog_cb(ctx[i], on_line, NULL) == TLSMEM_OK);
        MUST((two.c[i] = tls.new_(ctx[i], callbacks, NULL)) != NULL);
        tls.ctx_free(ctx[i]); /* a connection keeps its context */
    }
    MUST(tls.set_server_name(two.c[0], "localhost") == TLSMEM_OK);
    return two;
}

/* Puts both into a loop, and has them shake hands there. */
static void join(tlsmem_loop *loop, struct two *two)
{
    int fds[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    for (int i = 0; i < 2; i++)
        MUST(tls.loop_add(loop, two->c[i], fds[i]) == TLSMEM_OK && tls.own_fd(two->c[i], 1) == TLSMEM_OK);
    while (!tls.is_established(two->c[0]) || !tls.is_established(two->c[1]))
        MUST(tls.loop_run_once(loop, 10000) > 0);
}

/* A connection with callbacks in the loop that stays, freed while data for it lies in its socket. */
static void free_one_in_the_loop(const char *certs)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    callbacks.on_data = on_data;
    callbacks.on_close = on_close;
    struct two two = make(certs, &callbacks);
    join(left->loop, &two);
    tlsmem_timer *timer = tls.loop_timer(left->loop, 0, on_timer, NULL);
    MUST(tls.write(two.c[0], "for nobody", 10) == 10 && timer != NULL);
    MUST(tls.loop_remove(left->loop, two.c[0]) == TLSMEM_OK && tls.flush(two.c[0]) == TLSMEM_OK);
    left->wire = fcntl(tls.fd(two.c[1]), F_DUPFD_CLOEXEC, 0);
    MUST(left->wire >= 0 && tls.loop_watch(left->loop, left->wire, POLLIN, on_fd, NULL) == TLSMEM_OK);
    long called = left->called;
    tls.free(two.c[0]);
    tls.free(two.c[1]);
    tls.timer_free(timer);
    MUST(tls.loop_watch(left->loop, left->wire, 0, on_fd, NULL) == TLSMEM_OK);
    MUST(left->called == called && called > 0); /* the lines of its keys, nothing else */
}

/* One that waits for the resolver, whose thread may go on when the plugin is gone. */
static void free_one_that_connects(const char *certs)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    callbacks.on_close = on_close;
    to.host = "localhost";
    to.port = 9;
    to.on_attempt = on_attempt;
    struct two two = make(certs, &callbacks);
    MUST(tls.loop_connect(left->loop, two.c[0], &to) == TLSMEM_OK);
    tls.free(two.c[0]);
    tls.free(two.c[1]);
}

/* And a loop of the plugin's own, with all that can call back in it, freed as it is. */
static void free_a_loop(const char *certs)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_loop *loop = tls.loop_new();
    callbacks.on_data = on_data;
    callbacks.on_close = on_close;
    how.host = "127.0.0.1";
    how.on_accept = on_accept;
    struct two two = make(certs, &callbacks);
    join(loop, &two);
    char path[4096];
    tlsmem_ctx *ctx = tls.ctx_new(TLSMEM_SERVER);
    snprintf(path, sizeof path, "%s/server.pem", certs);
    MUST(tls.ctx_set_cert_file(ctx, path) == TLSMEM_OK);
    snprintf(path, sizeof path, "%s/server.key", certs);
    MUST(tls.ctx_set_key_file(ctx, path) == TLSMEM_OK);
    MUST(tls.loop_listen(loop, ctx, &how, NULL) == TLSMEM_OK);
    tls.ctx_free(ctx);
    MUST(tls.loop_timer(loop, 0, on_timer, NULL) != NULL);
    MUST(tls.loop_watch(loop, left->wire, POLLIN, on_fd, NULL) == TLSMEM_OK);
    MUST(tls.loop_post(loop, on_post, NULL) == TLSMEM_OK);
    long called = left->called;
    tls.loop_free(loop);
    MUST(left->called == called + 2); /* on_close of both, which freed them; what was posted is dropped */
}

__attribute__((visibility("default"))) void leave(struct left *to, const char *certs)
{
    left = to;
    MUST(tlsmem_load(NULL, &tls) == TLSMEM_OK);
    left->loop = tls.loop_new();
    left->begun = make(certs, NULL);
    left->open = make(certs, NULL);
    left->looped = make(certs, NULL);
    const void *hello;
    size_t n;
    MUST(tls.outgoing_peek(left->begun.c[0], &hello, &n) == TLSMEM_OK);
    MUST(tls.feed(left->begun.c[1], hello, n) == (ptrdiff_t)n && tls.outgoing_consume(left->begun.c[0], n) == TLSMEM_OK);
    MUST(tls.write(left->open.c[0], "kept", 4) == 4);
    while (move(&tls, &left->open))
        ;
    MUST(tls.is_established(left->open.c[1]) && !tls.is_established(left->begun.c[0]));
    join(left->loop, &left->looped);
    free_one_in_the_loop(certs);
    free_one_that_connects(certs);
    free_a_loop(certs);
    tlsmem_unload(&tls);
}
