/*
 * https_get.c - fetches a URL: https_get [options] https://HOST/PATH
 *
 * What a client has to do with a server that it does not know: the certificate must be of an authority that the system
 * trusts, and for the host of the URL, name or address; "http/1.1" is agreed upon; every wait has an end; and an answer
 * that is cut is told from one that is whole. Redirections are told, and left alone. An HTTP status of 400 and above is an
 * answer like any other, exit code 0, unless --fail makes it 2. With --resume it asks twice, the second time resuming.
 */
#include "https_get.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

struct fetch {
    const struct wishes *wishes;
    tlsmem_loop *loop;
    tlsmem *c;
    struct answer answer;
    tlsmem_timer *whole_time;
    int is_closed, code;
};

static int speaks_http(const tlsmem *c)
{
    const char *name;
    size_t n;
    return tlsmem_alpn(c, &name, &n) != TLSMEM_OK || (n == 8 && memcmp(name, "http/1.1", n) == 0);
}

static void on_established(tlsmem *c, void *user)
{
    struct fetch *f = user;
    if (f->wishes->show_cert)
        show_peer(c);
    if (speaks_http(c))
        return;
    snprintf(f->answer.why, sizeof f->answer.why, "the server wants to speak something else than http/1.1");
    f->code = EXIT_TLS;
    tlsmem_abort(c);
}

/* Writes what the output takes. While something is left, the server is not listened to, and no time limit runs. */
static void on_output(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct fetch *f = user;
    (void)events;
    pour(fd, &f->answer.out);
    watch(loop, fd, f->answer.out.n > 0 ? POLLOUT : 0, on_output, f);
    if (f->answer.out.n > 0)
        tlsmem_pause(f->c);
    else
        tlsmem_resume(f->c);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct fetch *f = user;
    int useless = take_answer(&f->answer, bytes, n);
    if (f->answer.out.n > 0)
        on_output(f->loop, f->answer.fd, POLLOUT, f);
    if (useless)
        tlsmem_abort(c);
    else if (f->answer.is_complete)
        tlsmem_close(c);
}

static void on_eof(tlsmem *c, void *user)
{
    struct fetch *f = user;
    end_answer(&f->answer);
    tlsmem_close(c);
}

/* Why the answer is not whole, unless it is known already, or the server simply closed, properly or not. One that is whole
   stays whole, however its connection ends. */
static void explain(struct fetch *f, const tlsmem *c, int status)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (f->answer.is_complete || f->answer.why[0] != '\0' || status == TLSMEM_OK || status == TLSMEM_ETRUNCATED)
        return;
    tlsmem_error(c, &error);
    memcpy(f->answer.why, error.sentence, sizeof error.sentence);
    f->code = exit_code(status);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct fetch *f = user;
    end_progress();
    explain(f, c, report->status);
    f->is_closed = 1;
    if (f->wishes->stats)
        print_stats(stderr, c, report);
}

static void on_whole_time(tlsmem_timer *timer, void *user)
{
    struct fetch *f = user;
    (void)timer;
    snprintf(f->answer.why, sizeof f->answer.why, "not done within --max-time %ld", f->wishes->max_time);
    f->code = EXIT_NETWORK;
    drop(&f->answer.out, f->answer.out.n); /* who does not take it has had the time */
    tlsmem_abort(f->c);
}

/* Fetches the URL, from another host and port where --host and --port say so, with a session unless that is NULL, and has
   the newest one in its place then. Returns the exit code. */
static int fetch(tlsmem_ctx *ctx, const struct options *o, const struct wishes *w, const struct url *url,
                 tlsmem_session **session)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_data, NULL, on_eof, on_close };
    struct fetch f = { .wishes = w, .loop = tlsmem_loop_new(), .code = EXIT_DONE };
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = o->host != NULL ? o->host : url->host;
    to.port = o->port != 0 ? (int)o->port : url->port;
    to.connect_ms = (uint32_t)w->timeout * 1000;
    begin_answer(&f.answer, w);
    f.c = tlsmem_new(ctx, &callbacks, &f);
    int status = tlsmem_set_server_name(f.c, url->host);
    if (status == TLSMEM_OK && *session != NULL)
        status = tlsmem_session_set(f.c, *session); /* after the name, which it is bound to */
    if (status == TLSMEM_OK)
        status = ask(f.c, w, url);
    if (status == TLSMEM_OK)
        status = tlsmem_loop_connect(f.loop, f.c, &to);
    if (status == TLSMEM_EINVAL)
        usage_error("%s port %d for %s: nobody can connect there", to.host, to.port, url->host);
    if (status != TLSMEM_OK) {
        say("cannot connect: %s", status == TLSMEM_ESYSTEM ? strerror(errno) : tlsmem_strerror(status));
        return exit_code(status);
    }
    begin_progress(f.loop, &f.answer);
    if (w->max_time > 0)
        f.whole_time = tlsmem_loop_timer(f.loop, w->max_time * 1000, on_whole_time, &f);
    while ((!f.is_closed || f.answer.out.n > 0) && tlsmem_loop_run_once(f.loop, -1) >= 0)
        ;
    int whole = finish_answer(&f.answer), code = f.code != EXIT_DONE ? f.code : whole;
    if (*session != NULL)
        code = tell_resumption(f.c, code);
    tlsmem_session_free(*session);
    *session = tlsmem_session_get(f.c); /* not before now: in TLS 1.3 it comes with the answer, or behind it */
    tlsmem_free(f.c);
    tlsmem_loop_free(f.loop);
    return code;
}

/* With --resume the first of two answers is of no interest. */
static int fetch_all(tlsmem_ctx *ctx, const struct options *o, const struct wishes *w, const struct url *url)
{
    struct wishes first = *w;
    tlsmem_session *session = NULL;
    first.output = "/dev/null", first.early = 0;
    int code = w->resume ? fetch(ctx, o, &first, url, &session) : EXIT_DONE;
    if (w->resume && code == EXIT_DONE && session == NULL)
        code = (say("not resumed: the server gave no session"), EXIT_TLS);
    if (code == EXIT_DONE)
        code = fetch(ctx, o, w, url, &session);
    tlsmem_session_free(session);
    return code;
}

int main(int argc, char **argv)
{
    static struct url url;
    struct options o = { .alpn = "http/1.1" };
    struct wishes w = { .timeout = 30 };
    const struct own_option own[] = {
        { "head", NULL, NULL, &w.head, "ask for the head only, and print it" },
        { "include", NULL, NULL, &w.include, "print the head too" },
        { "output", "FILE", &w.output, NULL, "write to this file and not to standard output" },
        { "fail", NULL, NULL, &w.fail, "exit code 2, and no output, for an HTTP status of 400 and above" },
        { "show-cert", NULL, NULL, &w.show_cert, "print what is known of the server on stderr, and its certificates" },
        { "resume", NULL, NULL, &w.resume, "ask twice, the second time with the first session, and write that answer" },
        { "early", NULL, NULL, &w.early, "--resume, and ask in early data, before the handshake, if the server lets us" },
        { "stats", NULL, NULL, &w.stats, "print a line about the connection on stderr when it ends" },
        { "timeout", "S", NULL, &w.timeout, "wait so many seconds for a connection, a handshake, the next byte (30)" },
        { "max-time", "S", NULL, &w.max_time, "wait so many seconds for everything together" },
        { 0 },
    };
    const char *text = take_url(&argc, argv);
    parse_options(argc, argv, "fetches a URL: https_get [options] https://HOST/PATH", &o, own);
    if (text == NULL)
        usage_error("a URL is needed: https_get [options] https://HOST/PATH");
    parse_url(text, &url);
    w.resume |= w.early;
    if (w.timeout > 86400 || w.max_time > 86400)
        usage_error("--timeout and --max-time are a day at most");

    o.limits.handshake_ms = o.limits.read_ms = o.limits.write_ms = (uint32_t)w.timeout * 1000;
    o.limits.close_ms = 1000; /* the answer is there: what the server does with the connection matters little */
    tlsmem_ctx *ctx = client_context(&o);
    if (o.insecure)
        say("--insecure: nobody knows who the server is");
    int code = fetch_all(ctx, &o, &w, &url);
    tlsmem_ctx_free(ctx);
    return code;
}
