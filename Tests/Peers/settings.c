/*
 * settings.c - a client or a server that is made of words, does one exchange, and prints what it knows of it.
 *
 *   settings server WORD...     serves until its standard input ends
 *   settings version            says with which OpenSSL it runs
 *   settings client WORD...     connects once, or with again=1 twice, the second time with the session of the first
 *
 * The words are in settings_words.c: settings of the context ("alpn=h2"), and where and how to connect. The client says
 * "ping", the server answers "pong" and closes. For each connection there are lines of the form NAME=VALUE, and an empty
 * one behind them.
 */
#define _POSIX_C_SOURCE 200809L
#include "settings.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** One connection; its memory is the listener's, or main's. */
struct exchange {
    struct told told;        /* first: see settings_questions.c */
    struct settings *s;      /* of a client; NULL for a server's */
    tlsmem_loop *loop;
    tlsmem_session *session; /* of a client's connection that has ended */
    int awaits;              /* of a server's: the client has been asked for its certificate */
    size_t n;
    char line[64];
};

static void must(int status, const char *what)
{
    if (status == TLSMEM_OK)
        return;
    fprintf(stderr, "settings: %s: %s\n", what, tlsmem_status_name(status));
    exit(2);
}

static void say(tlsmem *c, const char *line)
{
    if (tlsmem_write(c, line, strlen(line)) != (ptrdiff_t)strlen(line))
        fact("unsent", line);
}

static const struct settings *served; /* what a server's connections have in common */

static void change_key(tlsmem *c, const struct settings *s)
{
    if (s->rekey)
        must(tlsmem_key_update(c, 1), "key update");
}

/* Whoever answers closes. */
static void answer(tlsmem *c, struct exchange *e)
{
    if (e->awaits || memchr(e->line, '\0', e->n) == NULL)
        return;
    change_key(c, served);
    say(c, "pong\n");
    tlsmem_close(c);
}

static void on_certificate(tlsmem *c, void *user)
{
    struct exchange *e = user;
    e->awaits = 0;
    answer(c, e);
}

static void on_established(tlsmem *c, void *user)
{
    struct exchange *e = user;
    if (e->s == NULL && served->request) {
        must(tlsmem_request_certificate(c, on_certificate, e), "request");
        e->awaits = 1;
    }
    if (e->s == NULL)
        return;
    if (e->s->renegotiate)
        must(tlsmem_renegotiate(c), "renegotiate");
    change_key(c, e->s);
    say(c, "ping\n");
}

/* Who has the answer closes, too. */
static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct exchange *e = user;
    if (n > sizeof e->line - 1 - e->n)
        n = sizeof e->line - 1 - e->n;
    memcpy(e->line + e->n, bytes, n);
    e->n += n;
    char *end = memchr(e->line, '\n', e->n);
    if (end == NULL)
        return;
    *end = '\0';
    if (e->s == NULL)
        answer(c, e);
    else
        tlsmem_close(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct exchange *e = user;
    print_facts(c, report, e->line);
    if (e->s == NULL) {
        tlsmem_free(c);
        return;
    }
    tlsmem_session_free(e->session);
    e->session = tlsmem_session_get(c);
    tlsmem_loop_stop(e->loop);
}

static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_data, NULL, NULL, on_close };

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

static void on_input(tlsmem_loop *loop, int fd, int events, void *user)
{
    char ignored[64];
    (void)events, (void)user;
    if (read(fd, ignored, sizeof ignored) <= 0)
        tlsmem_loop_stop(loop);
}

static void serve(struct settings *s, tlsmem_loop *loop)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    options.host = s->host;
    options.port = s->port;
    options.on_accept = on_accept;
    options.user_size = sizeof(struct exchange);
    must(tlsmem_loop_listen(loop, s->ctx, &options, &listener), "listen");
    must(tlsmem_loop_watch(loop, STDIN_FILENO, POLLIN, on_input, NULL), "watch");
    printf("listening on %s:%d\n", s->host, tlsmem_listener_port(listener));
    fflush(stdout);
    must(tlsmem_loop_run(loop), "run");
}

static void visit(struct settings *s, struct exchange *e)
{
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem *c = tlsmem_new(s->ctx, &callbacks, e);
    to.host = s->host;
    to.port = s->port;
    memset(e->line, 0, sizeof e->line);
    memset(&e->told, 0, sizeof e->told);
    e->n = 0;
    if (s->name != NULL)
        must(tlsmem_set_server_name(c, s->name), "server name");
    if (e->session != NULL)
        must(tlsmem_session_set(c, e->session), "session");
    must(tlsmem_loop_connect(e->loop, c, &to), "connect");
    must(tlsmem_loop_run(e->loop), "run");
    tlsmem_free(c);
}

int main(int argc, char **argv)
{
    struct settings s = { .limits = TLSMEM_LIMITS_INIT, .host = "127.0.0.1" };
    int serves = argc > 1 && strcmp(argv[1], "server") == 0;
    if (argc > 1 && strcmp(argv[1], "version") == 0) {
        printf("libtlsmem %s with %s\n", tlsmem_version_string(), tlsmem_openssl_version());
        return 0;
    }
    if (!serves && (argc < 2 || strcmp(argv[1], "client") != 0)) {
        fprintf(stderr, "usage: settings client|server|version WORD...\n");
        return 1;
    }
    struct exchange e = { .s = &s, .loop = tlsmem_loop_new() };
    s.ctx = tlsmem_ctx_new(serves ? TLSMEM_SERVER : TLSMEM_CLIENT);
    must(s.ctx == NULL || e.loop == NULL ? TLSMEM_ENOMEM : TLSMEM_OK, "context and loop");
    for (int i = 2; i < argc; i++)
        apply(&s, argv[i]);
    apply_limits(&s);
    served = &s;
    if (serves)
        serve(&s, e.loop);
    else
        visit(&s, &e);
    if (s.again)
        visit(&s, &e);
    tlsmem_session_free(e.session);
    tlsmem_loop_free(e.loop);
    tlsmem_ctx_free(s.ctx);
    return 0;
}
