/*
 * relay_server.c - standard input goes to every client, and what the clients say to standard output, over TLS.
 *
 * Standard input is read while somebody is there to be told, and no faster than the slowest of them takes it; so what
 * is typed before the first handshake is done waits for it. Its end ends nothing: the server goes on listening.
 */
#include "explain.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { SILENCE_MS = 1000 };
struct relay {
    tlsmem_loop *loop;
    tlsmem_listener *listener;
    struct client *first;
    char text[16384];
    size_t text_n;    /* what was read last from standard input */
    struct bytes out; /* what standard output did not take yet */
    int stdin_ended, stopping;
    int64_t heard; /* when standard input was read last, or could not be */
    long show, number;
    struct explaining explaining;
};

struct client {
    struct relay *relay;
    tlsmem *c;
    long number;
    size_t told;     /* how much of the text */
    int64_t parting; /* when it closed its direction; 0 before */
    int shown;       /* the state that was printed last */
    struct client *next;
};

static void show_state(tlsmem *c, void *user)
{
    struct client *cl = user;
    if (cl->relay->show)
        say_state(c, cl->number, &cl->shown);
}

/* Tells a client what it was not told yet; on_drain. */
static void tell(tlsmem *c, void *user)
{
    struct client *cl = user;
    struct relay *r = cl->relay;
    size_t left = r->text_n - cl->told;
    ptrdiff_t taken = tlsmem_write(c, r->text + cl->told, left);
    cl->told += taken >= 0 ? (size_t)taken : taken == TLSMEM_AGAIN ? 0 : left; /* or it is on its way out */
}

static void on_stdin(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct relay *r = user;
    ssize_t n = read(fd, r->text, sizeof r->text);
    (void)loop, (void)events;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    r->heard = tlsmem_now();
    r->stdin_ended = n <= 0; /* not watched any more: at its end it would be readable for ever */
    r->text_n = n > 0 ? (size_t)n : 0;
    for (struct client *cl = r->first; cl != NULL; cl = cl->next) {
        cl->told = tlsmem_is_established(cl->c) ? 0 : r->text_n; /* who is not, hears what comes afterwards */
        tell(cl->c, cl);
    }
}

static void on_stdout(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct relay *r = user;
    (void)loop, (void)events;
    pour(fd, &r->out);
    for (struct client *cl = r->first, *next; cl != NULL && r->out.n == 0; cl = next) {
        next = cl->next; /* resuming may end it */
        tlsmem_resume(cl->c);
    }
}

/* What standard output does not take waits, and until on_stdout is through with it, its client delivers no more. */
static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct relay *r = ((struct client *)user)->relay;
    int first = r->out.n == 0;
    keep(&r->out, bytes, n);
    if (first)
        pour(STDOUT_FILENO, &r->out);
    if (r->out.n > 0)
        tlsmem_pause(c);
}

static void on_eof(tlsmem *c, void *user)
{
    struct client *cl = user;
    (void)c;
    cl->parting = tlsmem_now(); /* it may still listen: settle() closes when there is nothing to be said */
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct client *cl = user, **link = &cl->relay->first;
    char rest[4096];
    for (ptrdiff_t n; (n = tlsmem_read(c, rest, sizeof rest)) > 0;) /* came while the connection was paused */
        on_data(c, rest, (size_t)n, cl);
    show_state(c, cl);
    if (cl->relay->show && report->status != TLSMEM_OK)
        say_failure(c);
    while (*link != cl)
        link = &(*link)->next;
    *link = cl->next;
    tlsmem_free(c);
    free(cl);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, show_state, on_data, tell, on_eof, on_close };
    struct relay *r = user;
    struct client *cl = calloc(1, sizeof *cl);
    (void)listener;
    if (cl == NULL)
        return -1;
    *cl = (struct client) { r, accepted->connection, ++r->number, r->text_n, 0, -1, r->first };
    r->first = cl;
    accepted->callbacks = &callbacks;
    accepted->user = cl;
    return 0;
}

static void on_signal(tlsmem_loop *loop, int fd, int events, void *user)
{
    struct relay *r = user;
    (void)events;
    watch(loop, fd, 0, on_signal, r);
    tlsmem_listener_free(r->listener);
    r->stopping = 1; /* settle() closes the clients */
}

/* After every turn: closes clients that are done, and says what is watched, and for how long. */
static int settle(struct relay *r)
{
    int listening = 0, behind = 0, parting = 0;
    for (struct client *cl = r->first, *next; cl != NULL; cl = next) {
        next = cl->next; /* closing may end it */
        listening += tlsmem_is_established(cl->c);
        behind += cl->told < r->text_n;
        parting += cl->parting > 0;
        show_state(cl->c, cl);
        int64_t since = cl->parting > r->heard ? cl->parting : r->heard;
        if (r->stopping || (cl->parting > 0 && (r->stdin_ended || tlsmem_now() - since >= SILENCE_MS)))
            tlsmem_close(cl->c);
    }
    int wanted = !r->stdin_ended && listening > 0 && behind == 0;
    if (!wanted)
        r->heard = tlsmem_now();
    watch(r->loop, STDIN_FILENO, wanted ? POLLIN : 0, on_stdin, r);
    watch(r->loop, STDOUT_FILENO, r->out.n > 0 ? POLLOUT : 0, on_stdout, r);
    return parting > 0 ? SILENCE_MS : -1;
}

int main(int argc, char **argv)
{
    static struct relay r;
    struct options o = { .host = "127.0.0.1", .port = 55555 };
    const struct own_option own[] = { { "state", NULL, NULL, &r.show, "print each TLS state on stderr" }, { 0 } };
    parse_options(argc, argv, "relays standard input to all TLS clients, and their words to standard output", &o, own);

    tlsmem_ctx *ctx = server_context(&o);
    r.loop = tlsmem_loop_new();
    r.listener = listen_in(&r.loop, 1, ctx, &o, on_accept, &r);
    watch(r.loop, stop_descriptor(), POLLIN, on_signal, &r);
    explain_at_signal(&r.explaining, &r.loop, 1);
    say_listening(o.host, (int)o.port);
    for (int wait = -1; !r.stopping || r.first != NULL; wait = settle(&r))
        if (tlsmem_loop_run_once(r.loop, wait) < 0)
            return EXIT_NETWORK;
    tlsmem_loop_free(r.loop);
    tlsmem_ctx_free(ctx);
    return EXIT_DONE;
}
