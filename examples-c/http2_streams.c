/*
 * http2_streams.c - the streams of a client of HTTP/2: each is a request and its answer.
 *
 * The client's windows are given back when a body's bytes leave as an echo: what waits here is never more than
 * CLIENT_WINDOW.
 */
#include "http2.h"
#include <string.h>

static struct stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* What the client has sent for an echo, and has not been given back its window for. */
static size_t waiting(const struct stream *st) { return st != NULL && st->x.echo ? st->x.body.n : 0; }

static void end_stream(struct stream *st)
{
    *st->link = st->next;
    if (st->next != NULL)
        st->next->link = st->link;
    exchange_end(&st->x);
    free(st);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *piece, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    struct stream *st = source->ptr;
    (void)user;
    ssize_t n = st->x.failed ? -1 : answer_piece(&st->x, piece, room);
    if (n < 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    if (st->x.echo)
        nghttp2_session_consume(session, id, (size_t)n);
    if (answer_is_over(&st->x))
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    st->deferred = n == 0 && !answer_is_over(&st->x);
    return st->deferred ? NGHTTP2_ERR_DEFERRED : n;
}

static int submit(nghttp2_session *session, struct stream *st)
{
    enum { FIELDS_MAX = 16 };
    nghttp2_nv fields[FIELDS_MAX];
    nghttp2_data_provider body = { { .ptr = st }, read_body };
    char status[12];
    const char *name = ":status", *value = status;
    size_t at = 0, count = 0;
    snprintf(status, sizeof status, "%d", st->x.status);
    do
        fields[count++] = (nghttp2_nv) { (uint8_t *)(size_t)name, (uint8_t *)(size_t)value, strlen(name), strlen(value),
                                         NGHTTP2_NV_FLAG_NONE }; /* copied, and the names in small letters */
    while (count < FIELDS_MAX && next_field(&st->x.answer, &at, &name, &value));
    st->submitted = st->x.begun = 1;
    return nghttp2_submit_response(session, st->id, fields, count, answer_is_over(&st->x) ? NULL : &body);
}

/* Something has come, or is known: the answer begins, or goes on. */
static int advance(nghttp2_session *session, struct stream *st)
{
    if (!st->submitted)
        return !st->x.echo || answer_is_ready(&st->x) ? submit(session, st) : 0;
    if (st->deferred && (st->x.body.n > 0 || st->x.request_over || st->x.failed)) {
        st->deferred = 0;
        return nghttp2_session_resume_data(session, st->id);
    }
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *h = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0; /* what follows a body is of no interest */
    struct stream *st = calloc(1, sizeof *st);
    if (st == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    exchange_begin(&st->x, h->client);
    st->x.version = "HTTP/2.0";
    st->session = h;
    st->id = frame->hd.stream_id;
    st->next = h->streams;
    st->link = &h->streams;
    if (st->next != NULL)
        st->next->link = &st->next;
    h->streams = st;
    h->idle = 0;
    return nghttp2_session_set_stream_user_data(session, st->id, st);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user)
{
    struct stream *st = stream_of(session, frame->hd.stream_id);
    const struct http2 *h = user;
    (void)flags;
    if (st == NULL || st->x.status != 0)
        return 0;
    if (st->x.request.n + name_length + value_length > (size_t)h->client->worker->server->head_max) {
        st->too_big = 1;
        return 0;
    }
    keep(&st->x.request, name, name_length);
    keep(&st->x.request, "", 1);
    keep(&st->x.request, value, value_length);
    keep(&st->x.request, "", 1);
    return 0;
}

static void begin_answer(nghttp2_session *session, struct stream *st)
{
    const char *length = request_field(&st->x, "content-length"), *expect = request_field(&st->x, "expect");
    const nghttp2_nv go_on = { (uint8_t *)(size_t)":status", (uint8_t *)(size_t)"100", 7, 3, NGHTTP2_NV_FLAG_NONE };
    st->x.length = length != NULL ? strtoll(length, NULL, 10) : st->x.request_over ? 0 : -1;
    if (st->too_big)
        refuse(&st->x, 431);
    else
        decide(&st->x);
    if (expect != NULL && st->x.status < 400 && !st->x.request_over)
        nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, st->id, NULL, &go_on, 1, NULL);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    int with_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    struct stream *st = with_end ? stream_of(session, frame->hd.stream_id) : NULL;
    (void)user;
    if (st == NULL)
        return 0;
    st->x.request_over |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (st->x.status == 0)
        begin_answer(session, st);
    return advance(session, st);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *user)
{
    struct stream *st = stream_of(session, id);
    size_t before = waiting(st);
    (void)flags, (void)user;
    if (st != NULL)
        body_comes(&st->x, bytes, n);
    /* What nobody wants: others may send in its place, but not this stream, which has its answer. */
    nghttp2_session_consume_connection(session, before + n - waiting(st));
    return st != NULL ? advance(session, st) : 0;
}

/* A client that begins streams only to break them off makes work for nothing ("rapid reset", CVE-2023-44487). */
static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct http2 *h = user;
    struct stream *st = stream_of(session, id);
    if (st == NULL)
        return 0;
    nghttp2_session_consume_connection(session, waiting(st));
    end_stream(st);
    if (error == NGHTTP2_NO_ERROR)
        h->broken -= h->broken > 0;
    else if (++h->broken > BROKEN_MAX)
        return nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

void set_stream_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}

void give_up_stuck(struct http2 *h)
{
    for (struct stream *st = h->streams; st != NULL; st = st->next) {
        long long moved = st->x.came + st->x.sent;
        if (st->old && moved == st->moved)
            nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, st->id, NGHTTP2_CANCEL);
        st->old = 1;
        st->moved = moved;
    }
}

void end_streams(struct http2 *h)
{
    while (h->streams != NULL)
        end_stream(h->streams);
}
