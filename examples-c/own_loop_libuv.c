/*
 * own_loop_libuv.c - the buffers face over libuv's streams: an echo server of uv_tcp_t, with a uv_timer_t for deadlines.
 *
 * Streams and not uv_poll_t over the fd face, because streams are what programs of libuv have: the same code serves pipes,
 * and libuv itself accepts, receives and sends. (Its uv_poll_t is for libraries that do all that by themselves only.)
 * What waits to be sent is tried at once, where it lies. Only what the socket does not take then is copied, because
 * uv_write needs it for longer than the connection shows it.
 */
#include "explain.h"
#include "own_loop.h"
#include <string.h>
#include <uv.h>

enum { READ_BYTES = 65536, WRITE_BYTES = 65536, LINGER_MS = 5000 };

static struct own_loop s;
static char came[READ_BYTES]; /* what any client has sent: used up before the next one is read */

struct client {
    uv_tcp_t stream;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    uv_buf_t copy; /* what libuv is sending; NULL while it sends nothing */
    tlsmem *c;
    int open;       /* handles that are not closed yet */
    int64_t linger; /* once the connection has ended: when the client is left alone; else 0 */
};

static void settle(struct client *e, int code);

/* manual: close */
static void on_closed(uv_handle_t *handle)
{
    struct client *e = handle->data;
    if (--e->open > 0)
        return;
    tlsmem_free(e->c);
    free(e);
}

static void close_client(struct client *e)
{
    if (uv_is_closing((uv_handle_t *)&e->stream))
        return;
    uv_close((uv_handle_t *)&e->stream, on_closed);
    uv_close((uv_handle_t *)&e->timer, on_closed);
}
/* end of close */

/* manual: send */
static void on_written(uv_write_t *write, int status)
{
    struct client *e = write->data;
    free(e->copy.base);
    e->copy.base = NULL;
    if (uv_is_closing((uv_handle_t *)&e->stream))
        return;
    if (status == 0)
        tlsmem_outgoing_consume(e->c, e->copy.len);
    settle(e, status);
}

/* Sends of what waits, unless libuv does already. Returns 1 when some
   went, which makes room for more, 0, or why not. */
static int send_some(struct client *e)
{
    const void *bytes;
    size_t n;
    if (e->copy.base != NULL
        || tlsmem_outgoing_peek(e->c, &bytes, &n) != TLSMEM_OK)
        return 0;
    uv_stream_t *stream = (uv_stream_t *)&e->stream;
    unsigned most = n < WRITE_BYTES ? (unsigned)n : WRITE_BYTES;
    uv_buf_t shown = uv_buf_init((char *)bytes, most);
    int sent = uv_try_write(stream, &shown, 1);
    if (sent > 0)
        return tlsmem_outgoing_consume(e->c, (size_t)sent) == TLSMEM_OK;
    if (sent == UV_EAGAIN) {
        /* It stays in the connection, and counts there, until libuv says
           that it went. */
        e->copy = uv_buf_init(memcpy(zeroed(most), bytes, most), most);
        sent = uv_write(&e->write, stream, &e->copy, 1, on_written);
    }
    return sent;
}
/* end of send */

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(came, READ_BYTES);
}

/* manual: read */
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct client *e = stream->data;
    if (e->linger != 0 && n >= 0)
        return; /* it is dropped, until the client has closed too */
    if (e->linger == 0 && n == UV_EOF) {
        tlsmem_feed_eof(e->c);
        n = 0;
    } else if (n > 0 && tlsmem_feed(e->c, buffer->base, (size_t)n) < n) {
        /* With no plaintext waiting all has room: so it has ended. */
        uv_read_stop(stream);
    }
    settle(e, (int)n);
}
/* end of read */

static void on_time(uv_timer_t *timer)
{
    struct client *e = timer->data;
    tlsmem_tick(e->c, tlsmem_now()); /* a little early perhaps: then there is still a deadline afterwards */
    if (e->linger != 0)
        close_client(e);
    else
        settle(e, 0);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown, (void)status;
}

/* After every call on a connection: answers, sends, then waits for what the connection waits for. A code below 0 is
   libuv's for a transport that has failed: TLS is told, and ends by it. */
static void settle(struct client *e, int code)
{
    uv_stream_t *stream = (uv_stream_t *)&e->stream;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    int goes_on = echo(e->c);
    while (code >= 0 && (code = send_some(e)) > 0)
        goes_on = echo(e->c);
    if (code < 0 && tlsmem_feed_error(e->c, -code) != TLSMEM_OK)
        goes_on = 0;
    if (!goes_on && e->linger == 0) {
        if (farewell(&s, e->c))
            uv_stop(stream->loop);
        e->linger = tlsmem_now() + LINGER_MS;
    }
    if (code < 0) {
        close_client(e);
        return;
    }
    /* At its end comes FIN, and the client is heard until it closes too: a reset could destroy an alert on its way. */
    if (e->linger != 0 && e->copy.base == NULL)
        uv_shutdown(&e->shutdown, stream, on_shutdown); /* refused when it is shut down already */
    tlsmem_want(e->c, &want);
    if (e->linger != 0 || (want.needs_ciphertext && !want.has_plaintext))
        uv_read_start(stream, allocate, on_read);
    else
        uv_read_stop(stream); /* it is heard again when its answers have gone */
    int64_t deadline = e->linger != 0 ? e->linger : want.deadline_ms, left = deadline - tlsmem_now();
    if (deadline >= 0)
        uv_timer_start(&e->timer, on_time, left > 0 ? (uint64_t)left : 0, 0);
    else
        uv_timer_stop(&e->timer);
}

static void on_client(uv_stream_t *listener, int status)
{
    if (status < 0)
        return; /* without descriptors, libuv itself sends those away who come */
    struct client *e = zeroed(sizeof *e);
    e->stream.data = e->timer.data = e->write.data = e;
    e->open = 2;
    uv_timer_init(listener->loop, &e->timer);
    uv_tcp_init(listener->loop, &e->stream);
    if (uv_accept(listener, (uv_stream_t *)&e->stream) == 0 && (e->c = welcome(&s, -1, NULL, NULL)) != NULL)
        settle(e, 0);
    else
        close_client(e);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

static void explain_any(uv_handle_t *handle, void *lines)
{
    const struct client *e = handle->data;
    if (e == NULL || handle != (const uv_handle_t *)&e->stream || e->c == NULL)
        return; /* not a client's, or its timer */
    explain_one(e->c);
    ++*(size_t *)lines;
}

static void on_explain(uv_signal_t *signal, int number)
{
    size_t lines = 0;
    (void)number;
    uv_walk(signal->loop, explain_any, &lines);
    explain_end(lines);
}

static void close_any(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (handle->data != NULL) /* a client's */
        close_client(handle->data);
    else
        uv_close(handle, NULL);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_signal_t interrupted = { 0 }, terminated = { 0 }, explain = { 0 };
    uv_tcp_t listener = { 0 };
    begin(&s, argc, argv, "sends every byte back, over TLS, in libuv's loop");
    uv_signal_init(loop, &interrupted);
    uv_signal_init(loop, &terminated);
    uv_signal_init(loop, &explain);
    uv_signal_start(&interrupted, on_signal, SIGINT);
    uv_signal_start(&terminated, on_signal, SIGTERM);
    uv_signal_start(&explain, on_explain, SIGUSR1);
    uv_tcp_init(loop, &listener);
    if (uv_tcp_open(&listener, listen_on(&s.o)) < 0 || uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_client) < 0)
        return EXIT_NETWORK;
    say_listening(s.o.host, (int)s.o.port);
    uv_run(loop, UV_RUN_DEFAULT);

    uv_walk(loop, close_any, NULL);
    uv_run(loop, UV_RUN_DEFAULT); /* until all of them are closed */
    uv_loop_close(loop);
    tlsmem_ctx_free(s.ctx);
    return EXIT_DONE;
}
