/*
 * remote_key.c - an echo server that has no key: another process holds it, and signs. The server never waits for that: it sends
 * the holder what is to be signed, goes on with its other connections, and gives each handshake its signature when it comes.
 */
#include "explain.h"
#include "remote_key.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    const char *greeting;
    long max, stats, verbose, ended;
    tlsmem_loop *loop;
    struct explaining explaining;
    int holder;             /* the socket to it; -1 when it is gone */
    struct bytes to, from;  /* what the socket has not taken, and half an answer */
};
static struct server s = { .greeting = "" };

/* ---- the holder */

static void on_holder(tlsmem_loop *loop, int fd, int events, void *user);

/* Sends what it takes now; the rest when it takes more. */
static void send_waiting(void)
{
    ssize_t took = s.to.n > 0 ? send(s.holder, s.to.at, s.to.n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (took > 0)
        drop(&s.to, (size_t)took);
    watch(s.loop, s.holder, s.to.n > 0 ? POLLIN | POLLOUT : POLLIN, on_holder, NULL);
}

/* Gives the handshakes their signatures. One that is gone meanwhile is found out by its token. */
static void take_answers(void)
{
    struct frame f;
    while (s.from.n >= sizeof f && (memcpy(&f, s.from.at, sizeof f), s.from.n - sizeof f >= f.length)) {
        tlsmem_reply reply = TLSMEM_REPLY_INIT;
        reply.bytes = s.from.at + sizeof f;
        reply.length = f.length;
        tlsmem_answer((tlsmem *)(uintptr_t)f.connection, f.token, f.scheme == 0 ? TLSMEM_OK : TLSMEM_ESIGN, &reply);
        drop(&s.from, sizeof f + f.length);
    }
}

static void on_holder(tlsmem_loop *loop, int fd, int events, void *user)
{
    char bytes[16384];
    (void)user;
    if (events & POLLOUT)
        send_waiting();
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0) {
        keep(&s.from, bytes, (size_t)n);
        take_answers();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        say("the holder of the key is gone"); /* who waits for it, does so until handshake_ms */
        watch(loop, fd, 0, NULL, NULL);
        close(fd);
        s.holder = -1;
    }
}

static int on_sign(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    (void)user;
    if (s.holder < 0 || request->message_bytes > FRAME_MAX)
        return TLSMEM_ESIGN;
    struct frame f = { (uintptr_t)c, request->token, request->scheme, (uint32_t)request->message_bytes };
    keep(&s.to, &f, sizeof f);
    keep(&s.to, request->message, request->message_bytes);
    send_waiting();
    return TLSMEM_LATER;
}

/* ---- the server */

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
    return tlsmem_write(accepted->connection, s.greeting, strlen(s.greeting)) < 0; /* waits for the handshake */
}

int main(int argc, char **argv)
{
    struct options o = { .host = "127.0.0.1", .port = 4433 };
    const struct own_option own[] = { ECHO_OPTIONS(s), { 0 } };
    parse_options(argc, argv, "sends every byte back, over TLS; another process holds the key", &o, own);
    if (o.cert == NULL || o.key == NULL)
        usage_error("--cert and --key are needed");

    s.holder = start_holder(o.key, o.cert); /* this process never opens the key */
    int signals = stop_descriptor();
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    if (set_tls_options(ctx, &o) || tlsmem_ctx_set_sign_cb(ctx, on_sign, NULL) || tlsmem_ctx_set_cert_file(ctx, o.cert)
        || (o.ca && (tlsmem_ctx_set_ca_file(ctx, o.ca) || tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL))))
        context_refused(ctx);
    s.loop = tlsmem_loop_new();
    listen_in(&s.loop, 1, ctx, &o, on_accept, NULL);
    watch(s.loop, signals, POLLIN, stop, NULL);
    watch(s.loop, s.holder, POLLIN, on_holder, NULL);
    explain_at_signal(&s.explaining, &s.loop, 1);
    say_listening(o.host, (int)o.port);

    if (tlsmem_loop_run(s.loop) != TLSMEM_OK)
        say("the loop failed: %s", strerror(errno));
    tlsmem_loop_free(s.loop); /* ends the connections that are left */
    tlsmem_ctx_free(ctx);
    drop(&s.to, s.to.n);
    drop(&s.from, s.from.n);
    return EXIT_DONE;
}
