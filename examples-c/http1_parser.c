/*
 * http1_parser.c - requests of HTTP/1, as http_parser sees them.
 *
 * Where a request ends must not be a matter of opinion: what another server before us may read differently is refused
 * ("request smuggling"; RFC 9112, 11.2). http_parser refuses most of it; what it lets pass when it was built for speed,
 * as Debian's is, is refused here. It pauses at each seam, so that the bytes of the seam can be looked at.
 */
#include "http1.h"
#include <string.h>
#include <strings.h>

/* Fields are kept as "name\0value\0"; http_parser brings them in pieces. */
static int collect(struct http1 *h, int where, const char *at, size_t n)
{
    if (h->head_over) /* what follows a chunked body is of no interest */
        return 0;
    struct bytes *fields = &h->x.request;
    if (h->where != (unsigned)where) {
        while (h->where == IN_VALUE && (fields->at[fields->n - 1] == ' ' || fields->at[fields->n - 1] == '\t'))
            fields->n--; /* blanks behind a value are not its own */
        keep(fields, "", 1);
        h->where = where;
    }
    keep(fields, at, n);
    return 0;
}

static int on_begin(http_parser *parser)
{
    struct http1 *h = parser->data;
    h->begun = 1;
    h->where = IN_NAME;
    remind_in(h->client, h->client->worker->server->timeout * 1000);
    return collect(h, IN_NAME, ":path", 5);
}

static int on_value(http_parser *parser, const char *at, size_t n) { return collect(parser->data, IN_VALUE, at, n); }
static int on_name(http_parser *parser, const char *at, size_t n) { return collect(parser->data, IN_NAME, at, n); }

static int on_head(http_parser *parser)
{
    struct http1 *h = parser->data;
    const char *method = http_method_str((enum http_method)parser->method);
    collect(h, IN_NAME, ":method", 7);
    collect(h, IN_VALUE, method, strlen(method));
    collect(h, NOWHERE, NULL, 0);
    h->head_over = 1;
    h->part = parser->flags & F_CHUNKED ? CHUNK_SIZE : BODY;
    h->newlines = -1; /* the head's own last one comes first */
    h->x.version = parser->http_minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
    h->x.length = parser->flags & F_CHUNKED ? -1 : !(parser->flags & F_CONTENTLENGTH) ? 0
        : parser->content_length < INT64_MAX ? (long long)parser->content_length : INT64_MAX;
    h->keep = http_should_keep_alive(parser);
    parser->upgrade = 0; /* to nothing */
    http_parser_pause(parser, 1);
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t n)
{
    body_comes(&((struct http1 *)parser->data)->x, at, n);
    return 0;
}

static int on_seam(http_parser *parser)
{
    http_parser_pause(parser, 1);
    return 0;
}

static int on_end(http_parser *parser)
{
    ((struct http1 *)parser->data)->x.request_over = 1;
    return on_seam(parser);
}

void http1_parser_begin(struct http1 *h)
{
    http_parser_init(&h->parser, HTTP_REQUEST);
    h->parser.data = h;
}

void http1_parser_next(struct http1 *h)
{
    h->part = HEAD;
    h->begun = h->head_over = h->decided = 0;
}

/* Returns 400 when a line does not end as it must, or is folded (RFC 9112, 5.2). */
static int judge_lines(const struct http1 *h, const char *at, size_t n)
{
    char before = h->last;
    for (size_t i = 0; i < n; before = at[i++])
        if ((at[i] == '\n' && before != '\r') || (before == '\n' && (at[i] == ' ' || at[i] == '\t')))
            return 400;
    return 0;
}

/* Names of characters that a name may have, one Host, one length, and no byte in the target that a line could end at. */
static int judge_head(const struct http1 *h)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *name, *value, *coding = request_field(&h->x, "transfer-encoding");
    int hosts = 0, codings = 0;
    if (h->parser.http_major != 1)
        return 505;
    for (const char *at = request_field(&h->x, ":path"); *at != '\0'; at++)
        if (*(const unsigned char *)at <= ' ' || *at == 127)
            return 400;
    for (size_t at = 0; next_field(&h->x.request, &at, &name, &value);) {
        if (name[0] != ':' && name[strspn(name, allowed)] != '\0')
            return 400;
        hosts += strcasecmp(name, "host") == 0;
        codings += strcasecmp(name, "transfer-encoding") == 0;
    }
    if (hosts > 1 || (hosts == 0 && h->parser.http_minor > 0) || codings > 1 || (codings > 0 && h->parser.http_minor == 0))
        return 400;
    return codings > 0 && strcasecmp(coding, "chunked") != 0 ? 501 : 0;
}

/* Returns 400 when the line of a chunk's size, or what follows a chunk, does not end as it must. */
static int judge_chunk(struct http1 *h, const char *at, size_t n, int seam)
{
    if (h->part == BODY && h->parser.flags & F_TRAILING) /* after the last chunk there are fields */
        return 0;
    int ends_well = n > 0 && at[n - 1] == '\n' && (n > 1 ? at[n - 2] : h->last) == '\r';
    for (size_t i = 0; h->part == CHUNK_SIZE && i < n; i++)
        h->newlines += at[i] == '\n';
    if (h->newlines > 1 || (seam && !ends_well))
        return 400;
    if (seam) {
        h->part = h->part == CHUNK_SIZE ? BODY : CHUNK_SIZE;
        h->newlines = 0;
    }
    return 0;
}

int http1_parse(struct http1 *h)
{
    static const http_parser_settings settings = {
        .on_message_begin = on_begin, .on_url = on_value, .on_header_field = on_name, .on_header_value = on_value,
        .on_headers_complete = on_head, .on_body = on_body, .on_chunk_header = on_seam, .on_chunk_complete = on_seam,
        .on_message_complete = on_end,
    };
    int was_head = !h->head_over, status = 0;
    http_parser_pause(&h->parser, 0);
    size_t n = http_parser_execute(&h->parser, &settings, h->input.at, h->input.n < PIECE ? h->input.n : PIECE);
    enum http_errno error = HTTP_PARSER_ERRNO(&h->parser);
    if (error == HPE_HEADER_OVERFLOW)
        status = 431;
    else if (error == HPE_INVALID_METHOD)
        status = 501;
    else if (error != HPE_OK && error != HPE_PAUSED)
        status = 400;
    else if (was_head && (status = judge_lines(h, h->input.at, n)) == 0 && h->head_over)
        status = judge_head(h);
    else if (!was_head && h->parser.flags & F_CHUNKED && !h->x.request_over)
        status = judge_chunk(h, h->input.at, n, error == HPE_PAUSED);
    h->last = n > 0 ? h->input.at[n - 1] : h->last;
    drop(&h->input, n);
    return status;
}
