/* fetch_answer.c - the answer of an HTTP server, which http_parser reads. It keeps nothing outside of its struct, so an
   error may be raised from inside its callbacks: out of memory, in PostgreSQL's strings. */
#include "fetch.h"

/* Interim answers (1xx) are messages of their own, and make way for the next. */
static int on_begin(http_parser *p)
{
    struct answer *a = p->data;
    resetStringInfo(&a->fields);
    a->last = NOWHERE;
    return a->is_complete; /* which stops the parser: nobody asked for a second one */
}

/* Names and values may come in pieces. */
static void keep(struct answer *a, enum part where, const char *at, size_t n)
{
    if (a->last != NOWHERE && a->last != where)
        appendStringInfoChar(&a->fields, '\0');
    a->last = where;
    appendBinaryStringInfo(&a->fields, at, (int)n);
}

static int on_name(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    if (a->has_head) /* fields behind the body are of no use here */
        return 0;
    keep(a, IN_NAME, at, n);
    for (char *c = a->fields.data + a->fields.len - n; *c != '\0'; c++)
        *c = pg_ascii_tolower((unsigned char)*c);
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    if (!a->has_head)
        keep(a, IN_VALUE, at, n);
    return 0;
}

static bool is_too_long(struct answer *a, uint64_t n)
{
    if (n > a->max)
        fault_set(a->fault, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the body has more than the %zu bytes of tlsmem_fetch.max_body",
                  a->max);
    return n > a->max;
}

static int on_head(http_parser *p)
{
    struct answer *a = p->data;
    if (p->status_code < 200)
        return 0;
    if (a->last != NOWHERE)
        appendStringInfoChar(&a->fields, '\0');
    a->has_head = true;
    return (p->flags & F_CONTENTLENGTH) != 0 && is_too_long(a, p->content_length) ? -1 : 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    if (is_too_long(a, (uint64_t)a->body.len + n))
        return -1;
    appendBinaryStringInfo(&a->body, at, (int)n);
    return 0;
}

static int on_end(http_parser *p)
{
    struct answer *a = p->data;
    a->is_complete = a->has_head;
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin, .on_header_field = on_name, .on_header_value = on_value, .on_headers_complete = on_head,
    .on_body = on_body, .on_message_complete = on_end,
};

void answer_begin(struct answer *a, struct fault *fault, size_t max)
{
    http_parser_init(&a->parser, HTTP_RESPONSE);
    a->parser.data = a;
    a->fault = fault;
    a->max = max;
    initStringInfo(&a->fields);
    initStringInfo(&a->body);
}

bool answer_take(struct answer *a, const void *bytes, size_t n)
{
    size_t taken = http_parser_execute(&a->parser, &settings, bytes, n);
    if (taken == n || a->is_complete)
        return true;
    return fault_set(a->fault, ERRCODE_PROTOCOL_VIOLATION, "the answer is no HTTP: %s",
                     http_errno_description(HTTP_PARSER_ERRNO(&a->parser)));
}

bool answer_end(struct answer *a)
{
    http_parser_execute(&a->parser, &settings, NULL, 0);
    return a->is_complete || fault_set(a->fault, ERRCODE_CONNECTION_FAILURE,
                                       "the answer is cut: the server closed after %d bytes of the body", a->body.len);
}
