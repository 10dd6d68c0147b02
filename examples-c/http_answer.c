/*
 * http_answer.c - a request and its answer, whichever way they travel: what is asked for, and a body piece by piece.
 *
 * An echo is sent while its request still comes, and neither a file nor an echo is ever in memory as a whole.
 */
#include "http.h"
#include <http_parser.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

void exchange_begin(struct exchange *x, struct client *client)
{
    memset(x, 0, sizeof *x);
    x->client = client;
    x->fd = -1;
}

/* Back to a request of which the head is known, and nothing is decided. */
static void take_back(struct exchange *x)
{
    if (x->fd >= 0)
        close(x->fd);
    x->fd = -1;
    x->left = 0;
    x->echo = 0;
    drop(&x->answer, x->answer.n);
    drop(&x->body, x->body.n);
}

void exchange_end(struct exchange *x)
{
    if (x->status != 0)
        log_exchange(x);
    take_back(x);
    drop(&x->request, x->request.n);
    exchange_begin(x, x->client);
}

int next_field(const struct bytes *fields, size_t *at, const char **name, const char **value)
{
    if (*at >= fields->n)
        return 0;
    *name = fields->at + *at;
    *value = *name + strlen(*name) + 1;
    *at += strlen(*name) + strlen(*value) + 2;
    return 1;
}

const char *request_field(const struct exchange *x, const char *wanted)
{
    const char *name, *value;
    for (size_t at = 0; next_field(&x->request, &at, &name, &value);)
        if (strcasecmp(name, wanted) == 0)
            return value;
    return NULL;
}

void answer_field(struct exchange *x, const char *name, const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0)
        return;
    keep(&x->answer, name, strlen(name) + 1);
    keep(&x->answer, text, (size_t)n + 1);
    free(text);
}

void http_date(time_t moment, char *text)
{
    struct tm parts;
    strftime(text, DATE_ROOM, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&moment, &parts));
}

static void answer_date(struct exchange *x)
{
    char text[DATE_ROOM];
    http_date(time(NULL), text);
    answer_field(x, "Date", "%s", text);
}

void refuse(struct exchange *x, int status)
{
    char page[64];
    int n = snprintf(page, sizeof page, "%d %s\n", status, http_status_str((enum http_status)status));
    take_back(x);
    x->status = status;
    answer_date(x);
    answer_field(x, "Content-Type", "text/plain; charset=utf-8");
    answer_field(x, "Content-Length", "%d", n);
    keep(&x->body, page, (size_t)n);
}

static void refuse_method(struct exchange *x, const char *allowed)
{
    refuse(x, 405);
    answer_field(x, "Allow", "%s", allowed);
}

static void decide_echo(struct exchange *x)
{
    x->status = 200;
    x->echo = 1;
    answer_date(x);
    answer_field(x, "Content-Type", "application/octet-stream"); /* whatever was said: nobody's page is run from here */
    if (x->length >= 0)
        answer_field(x, "Content-Length", "%lld", x->length);
}

void decide(struct exchange *x)
{
    const char *method = request_field(x, ":method"), *target = request_field(x, ":path");
    struct bytes path = { NULL, 0, 0 };
    int head = method != NULL && strcmp(method, "HEAD") == 0;
    x->silent = head;
    if (x->length > x->client->worker->server->body_max) {
        refuse(x, 413);
        x->urgent = 1;
    } else if (method == NULL || target == NULL || (!decode_path(target, &path) && strcmp(target, "*") != 0)) {
        refuse(x, 400);
    } else if (!head && strcmp(method, "GET") != 0 && !tlsmem_is_established(x->client->c)) {
        refuse(x, 425); /* RFC 8470: it is asked again, by the client itself, when the handshake is done */
    } else if (path.n > 0 && strcmp(path.at, "echo") == 0) {
        if (strcmp(method, "POST") == 0)
            decide_echo(x);
        else
            refuse_method(x, "POST");
    } else if (!head && strcmp(method, "GET") != 0) {
        refuse_method(x, "GET, HEAD");
    } else if (path.n == 0) {
        refuse(x, 400); /* "*" is for OPTIONS */
    } else if (x->client->worker->server->metrics && strcmp(path.at, "metrics") == 0) {
        answer_date(x);
        answer_with_metrics(x);
    } else {
        answer_date(x);
        answer_with_file(x, path.at);
    }
    drop(&path, path.n);
}

void body_comes(struct exchange *x, const void *bytes, size_t n)
{
    x->came += (long long)n;
    if (x->urgent)
        return;
    if (x->came <= x->client->worker->server->body_max) {
        keep(&x->body, bytes, x->echo ? n : 0);
    } else if (x->begun) {
        x->failed = 1;
    } else {
        refuse(x, 413);
        x->urgent = 1;
    }
}

int answer_is_ready(const struct exchange *x)
{
    return x->begun || x->request_over || x->urgent || (x->echo && (x->length >= 0 || x->body.n >= HOLD));
}

ssize_t answer_piece(struct exchange *x, void *piece, size_t n)
{
    if (x->fd >= 0) {
        ssize_t got = pread(x->fd, piece, x->left < (long long)n ? (size_t)x->left : n, x->at);
        if (got <= 0)
            return x->left == 0 ? 0 : -1; /* the file has become shorter: what was promised cannot be kept */
        x->at += got;
        x->left -= got;
        x->sent += got;
        return got;
    }
    if (n > x->body.n)
        n = x->body.n;
    if (n > 0) {
        memcpy(piece, x->body.at, n);
        drop(&x->body, n);
    }
    x->sent += (long long)n;
    return (ssize_t)n;
}

int answer_is_over(const struct exchange *x)
{
    if (x->silent)
        return 1;
    return x->fd >= 0 ? x->left == 0 : x->body.n == 0 && (!x->echo || x->request_over);
}
