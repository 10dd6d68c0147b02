/*
 * http2.c - a client of HTTP/2: the session, which nghttp2 keeps; its streams are in http2_streams.c.
 *
 * nghttp2 gives its bytes frame by frame, and is asked only while the connection is not congested; nor is the client
 * read then. So nothing piles up: neither answers, nor what is to be said to pings and settings.
 */
#include "http2.h"

enum { LAST_WORD_MS = 250 }; /* from the news that the end is near to the last request that is served */

static void go_on(struct client *client)
{
    struct http2 *h = client->state;
    const uint8_t *bytes;
    ssize_t n = 0;
    while (!client->over && !tlsmem_is_congested(client->c) && (n = nghttp2_session_mem_send(h->session, &bytes)) > 0) {
        struct iovec piece = { (void *)(size_t)bytes, (size_t)n };
        send_pieces(client, &piece, 1);
    }
    client->over |= n < 0 || (!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session));
    settle(client, tlsmem_is_congested(client->c));
}

static void received(struct client *client, const void *bytes, size_t n)
{
    struct http2 *h = client->state;
    if (nghttp2_session_mem_recv(h->session, bytes, n) != (ssize_t)n)
        client->over = 1; /* not even HTTP/2, or a flood; for all else nghttp2 says good-bye by itself */
    go_on(client);
}

static int make_session(struct http2 *h)
{
    const struct server *s = h->client->worker->server;
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)s->head_max },
    };
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *options = NULL;
    int made = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0;
    if (made) {
        set_stream_callbacks(callbacks);
        nghttp2_option_set_no_auto_window_update(options, 1); /* a body is taken when its echo leaves */
        nghttp2_option_set_no_closed_streams(options, 1);
        made = nghttp2_session_server_new2(&h->session, callbacks, h, options) == 0
            && nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) == 0
            && nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, CLIENT_WINDOW) == 0;
    }
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    return made;
}

static int begin(struct client *client)
{
    struct http2 *h = calloc(1, sizeof *h);
    if (h == NULL)
        return 0;
    h->client = client;
    client->state = h;
    if (!make_session(h))
        return 0;
    go_on(client);
    return 1;
}

static void ended(struct client *client)
{
    client->over = 1; /* it can acknowledge nothing any more */
    settle(client, 0);
}

/* First the news, so that requests which are on their way are served; then, after a round trip, which one was the last. */
static void leave(struct client *client)
{
    struct http2 *h = client->state;
    h->leaving = 1;
    nghttp2_submit_shutdown_notice(h->session);
    remind_in(client, LAST_WORD_MS);
    go_on(client);
}

static void late(struct client *client)
{
    struct http2 *h = client->state;
    if (h->leaving)
        nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h->session),
                              NGHTTP2_NO_ERROR, NULL, 0);
    else if (h->idle)
        nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR);
    else if (!client->paused) /* else it is the connection that does not move, and that has its own deadline */
        give_up_stuck(h);
    h->idle = h->streams == NULL;
    remind_in(client, client->worker->server->timeout * 1000);
    go_on(client);
}

static void end(struct client *client)
{
    struct http2 *h = client->state;
    if (h == NULL)
        return;
    end_streams(h);
    nghttp2_session_del(h->session);
    free(h);
}

const struct protocol http2 = { begin, received, go_on, ended, leave, late, end };
