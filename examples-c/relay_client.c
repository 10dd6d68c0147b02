/*
 * relay_client.c - standard input goes to the peer, and what the peer says to standard output, over TLS.
 *
 * Nothing here blocks, the look-up of the name included. Text that comes before the handshake is done waits in the
 * connection. At the end of standard input our direction is closed, and the peer is listened to until it closes too.
 */
#include "client.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct relay {
    tlsmem_loop *loop;
    tlsmem *c;
    char text[16384];
    size_t text_n, text_sent; /* read from standard input; of it, taken by tlsmem_write */
    struct bytes out;         /* what standard output did not take yet */
    int stdin_ended, closed, done, code;
    long show, stats;
    int shown; /* the state that was printed last */
};

static void send_text(tlsmem *c, void *user);

static void show_state(struct relay *r)
{
    if (r->show)
        say_state(r->c, 1, &r->shown);
}

static void on_stdin(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct relay *r = user;
    ssize_t n = read(fd, r->text, sizeof r->text);
    (void)loop, (void)events;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    r->stdin_ended = n <= 0;
    r->text_n = n > 0 ? (size_t)n : 0;
    r->text_sent = 0;
    send_text(r->c, r);
}

/*
 * Gives the connection what was read; on_established and on_drain too. Only when all is taken, more is read, so the
 * peer sets the pace; and never after the end, where standard input would be readable for ever.
 */
static void send_text(tlsmem *c, void *user)
{
    struct relay *r = user;
    ptrdiff_t taken = tlsmem_write(c, r->text + r->text_sent, r->text_n - r->text_sent);
    if (taken > 0)
        r->text_sent += (size_t)taken;
    int all = r->text_sent == r->text_n;
    if (all && r->stdin_ended)
        tlsmem_close_write(c); /* after what was written, whenever that is */
    int more = !r->stdin_ended && !r->closed && all;
    watch(r->loop, STDIN_FILENO, more ? POLLIN : 0, on_stdin, r);
    show_state(r);
}

/* Writes what standard output takes; while something is left, the connection delivers nothing. */
static void on_stdout(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct relay *r = user;
    (void)loop, (void)events;
    pour(fd, &r->out);
    watch(r->loop, fd, r->out.n > 0 ? POLLOUT : 0, on_stdout, r);
    r->done = r->closed && r->out.n == 0;
    if (r->out.n > 0)
        tlsmem_pause(r->c);
    else
        tlsmem_resume(r->c);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct relay *r = user;
    (void)c;
    keep(&r->out, bytes, n);
    on_stdout(r->loop, STDOUT_FILENO, POLLOUT, r);
}

static void on_eof(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_close(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct relay *r = user;
    r->code = exit_code(report->status);
    show_state(r);
    if (r->code != EXIT_DONE)
        say_failure(c);
    if (r->stats)
        print_stats(stderr, c, report);
    char rest[4096];
    for (ptrdiff_t n; (n = tlsmem_read(c, rest, sizeof rest)) > 0;) /* came while the connection was paused */
        keep(&r->out, rest, (size_t)n);
    r->closed = 1;
    watch(r->loop, STDIN_FILENO, 0, on_stdin, r);
    on_stdout(r->loop, STDOUT_FILENO, POLLOUT, r);
}

int main(int argc, char **argv)
{
    static struct relay r = { .shown = -1 };
    struct options o = { .host = "localhost", .port = 443 };
    const struct own_option own[] = {
        { "state", NULL, NULL, &r.show, "print each TLS state on stderr" },
        { "stats", NULL, NULL, &r.stats, "print a line about the connection on stderr when it ends" },
        { 0 },
    };
    parse_options(argc, argv, "relays standard input to a TLS server, and its answers to standard output", &o, own);

    static const tlsmem_callbacks callbacks = { sizeof callbacks, send_text, on_data, send_text, on_eof, on_close };
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = o.host;
    to.port = (int)o.port;
    tlsmem_ctx *ctx = client_context(&o);
    r.loop = tlsmem_loop_new();
    r.c = tlsmem_new(ctx, &callbacks, &r);
    int status = tlsmem_loop_connect(r.loop, r.c, &to);
    if (status == TLSMEM_EINVAL)
        usage_error("--host %s, --port %ld: nobody can connect there", o.host, o.port);
    if (status != TLSMEM_OK) {
        say("cannot connect: %s", status == TLSMEM_ESYSTEM ? strerror(errno) : tlsmem_strerror(status));
        return EXIT_NETWORK;
    }
    send_text(r.c, &r);
    while (!r.done && tlsmem_loop_run_once(r.loop, -1) >= 0)
        show_state(&r);
    tlsmem_free(r.c);
    tlsmem_loop_free(r.loop);
    tlsmem_ctx_free(ctx);
    return r.done ? r.code : EXIT_NETWORK;
}
