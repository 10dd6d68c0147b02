/*
 * http1.c - a client of HTTP/1.0 or 1.1: one answer after another, in the order of the requests.
 *
 * A request is parsed when the answer before it has left, so that pipelined ones wait as bytes. While the connection is
 * congested nothing is read, neither from the client nor from a file.
 */
#include "http1.h"
#include <string.h>
#include <strings.h>

enum progress { DONE, FULL, WANTING }; /* the answer has left; the connection is congested; more must come first */

static void send_text(struct http1 *h, const void *text, size_t n)
{
    struct iovec piece = { (void *)(size_t)text, n };
    send_pieces(h->client, &piece, 1);
}

static void send_head(struct http1 *h)
{
    char line[128];
    const char *name, *value;
    struct bytes head = { NULL, 0, 0 };
    struct exchange *x = &h->x;
    h->keep = h->keep && !h->client->worker->leaving && !x->urgent;
    h->chunked = x->echo && x->length < 0;
    const char *reason = x->status == 425 ? "Too Early" : http_status_str((enum http_status)x->status);
    keep(&head, line, (size_t)snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", x->status, reason));
    for (size_t at = 0; next_field(&x->answer, &at, &name, &value);) {
        keep(&head, name, strlen(name));
        keep(&head, ": ", 2);
        keep(&head, value, strlen(value));
        keep(&head, "\r\n", 2);
    }
    if (h->chunked)
        keep(&head, "Transfer-Encoding: chunked\r\n", 28);
    keep(&head, line, (size_t)snprintf(line, sizeof line, "Connection: %s\r\n\r\n", h->keep ? "keep-alive" : "close"));
    send_text(h, head.at, head.n);
    drop(&head, head.n);
    x->begun = 1;
}

static enum progress send_answer(struct http1 *h)
{
    struct exchange *x = &h->x;
    char *piece = h->client->worker->piece, size[24];
    if (!answer_is_ready(x))
        return WANTING;
    if (!x->begun)
        send_head(h);
    while (!answer_is_over(x) && !h->client->over) {
        if (tlsmem_is_congested(h->client->c))
            return FULL;
        ssize_t n = x->failed ? -1 : answer_piece(x, piece, PIECE);
        if (n == 0)
            return WANTING;
        if (n < 0) {
            h->client->over = 1; /* too early: the client sees it */
            return DONE;
        }
        struct iovec parts[] = { { size, 0 }, { piece, (size_t)n }, { (void *)(size_t)"\r\n", 2 } };
        parts[0].iov_len = (size_t)snprintf(size, sizeof size, "%zx\r\n", (size_t)n);
        send_pieces(h->client, h->chunked ? parts : parts + 1, h->chunked ? 3 : 1);
    }
    if (h->chunked && !h->client->over)
        send_text(h, "0\r\n\r\n", 5);
    return DONE;
}

static void next_request(struct http1 *h)
{
    exchange_end(&h->x);
    http1_parser_next(h);
    if (!h->keep)
        h->client->over = 1;
    else
        remind_in(h->client, h->client->worker->server->timeout * 1000);
}

static void refuse_now(struct http1 *h, int status)
{
    h->client->over |= h->x.begun; /* too late for another answer */
    if (!h->head_over)
        drop(&h->x.request, h->x.request.n); /* half of it is none */
    refuse(&h->x, status);
    h->x.urgent = h->decided = 1;
}

/* The head has come. A client that waits for leave to send its body gets it, or the reason why not. */
static void begin_answer(struct http1 *h)
{
    struct exchange *x = &h->x;
    const char *expect = request_field(x, "expect");
    int waits = expect != NULL && h->parser.http_minor > 0 && x->length != 0;
    h->decided = 1;
    decide(x);
    if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
        refuse_now(h, 417);
    else if (waits && x->status >= 400)
        x->urgent = 1;
    else if (waits)
        send_text(h, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    if (x->length != 0) /* a body may take longer */
        remind_in(h->client, h->client->worker->server->timeout * 4000);
}

static void go_on(struct client *client)
{
    struct http1 *h = client->state;
    enum progress how = WANTING;
    while (!client->over && how != FULL) {
        how = h->decided ? send_answer(h) : WANTING;
        if (how == DONE) {
            next_request(h);
        } else if (how == WANTING) {
            if (h->input.n == 0)
                break;
            int status = http1_parse(h);
            if (status != 0)
                refuse_now(h, status);
            else if (h->head_over && !h->decided)
                begin_answer(h);
        }
    }
    client->over |= h->ended && how == WANTING; /* nothing more will come */
    settle(client, how == FULL);
}

static int begin(struct client *client)
{
    struct http1 *h = calloc(1, sizeof *h);
    if (h == NULL)
        return 0;
    h->client = client;
    client->state = h;
    exchange_begin(&h->x, client);
    http1_parser_begin(h);
    return 1;
}

static void received(struct client *client, const void *bytes, size_t n)
{
    struct http1 *h = client->state;
    keep(&h->input, bytes, n);
    go_on(client);
}

static void ended(struct client *client)
{
    ((struct http1 *)client->state)->ended = 1;
    go_on(client);
}

static void leave(struct client *client)
{
    struct http1 *h = client->state;
    h->keep = 0; /* of the answer that is under way; later ones see it for themselves */
    client->over |= !h->begun && h->input.n == 0;
    settle(client, client->paused);
}

static void late(struct client *client)
{
    struct http1 *h = client->state;
    if (h->x.request_over) { /* it is our turn */
        remind_in(client, client->worker->server->timeout * 1000);
        return;
    }
    if (h->begun && !client->over)
        refuse_now(h, 408);
    else
        client->over = 1;
    go_on(client);
}

static void end(struct client *client)
{
    struct http1 *h = client->state;
    if (h == NULL)
        return;
    exchange_end(&h->x);
    drop(&h->input, h->input.n);
    free(h);
}

const struct protocol http1 = { begin, received, go_on, ended, leave, late, end };
