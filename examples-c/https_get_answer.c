/* https_get_answer.c - the answer of an HTTP server, which http_parser reads: its head, and where its body goes. */
#include "https_get.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int refuse(struct answer *a, const char *what, const char *why)
{
    snprintf(a->why, sizeof a->why, "%s: %s", what, why);
    return -1; /* which stops the parser */
}

/* Interim answers (1xx) are messages of their own, and make way for the next. */
static int on_message_begin(http_parser *p)
{
    struct answer *a = p->data;
    if (a->is_complete)
        return -1; /* nobody asked for a second one */
    drop(&a->head, a->head.n);
    a->last = REASON;
    return 0;
}

static int on_reason(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    keep(&a->head, at, n);
    return 0;
}

/* Names and values may come in pieces. Those behind the body, in a trailer, are of no use here. */
static int on_field(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    if (a->has_head)
        return 0;
    if (a->last != FIELD)
        keep(&a->head, "\r\n", 2);
    a->last = FIELD;
    keep(&a->head, at, n);
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    if (a->has_head)
        return 0;
    if (a->last != VALUE)
        keep(&a->head, ": ", 2);
    a->last = VALUE;
    keep(&a->head, at, n);
    return 0;
}

static int is_unwanted(const struct answer *a)
{
    return a->wishes->fail && a->parser.status_code >= 400;
}

/* Returns what http_parser wants to know: 0 when a body follows, 1 when none does, after HEAD. */
static int on_headers_complete(http_parser *p)
{
    struct answer *a = p->data;
    char line[40];
    if (p->status_code < 200)
        return 0;
    keep(&a->head, "\r\n\r\n", 5); /* with its 0 */
    a->has_head = 1;
    a->length = p->flags & F_CHUNKED ? UINT64_MAX : p->content_length;
    if (is_unwanted(a))
        return a->wishes->head ? 1 : 0;
    const char *path = a->wishes->output;
    a->fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
    if (a->fd < 0)
        return refuse(a, path, strerror(errno));
    if (a->wishes->include || a->wishes->head) {
        int n = snprintf(line, sizeof line, "HTTP/%u.%u %u ", p->http_major, p->http_minor, p->status_code);
        keep(&a->out, line, (size_t)n);
        keep(&a->out, a->head.at, a->head.n - 1);
    }
    return a->wishes->head ? 1 : 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct answer *a = p->data;
    a->got += n;
    if (!is_unwanted(a))
        keep(&a->out, at, n);
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct answer *a = p->data;
    a->is_complete = a->has_head;
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_status = on_reason,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void begin_answer(struct answer *a, const struct wishes *wishes)
{
    *a = (struct answer) { .wishes = wishes, .fd = -1, .length = UINT64_MAX };
    http_parser_init(&a->parser, HTTP_RESPONSE);
    a->parser.data = a;
}

int take_answer(struct answer *a, const void *bytes, size_t n)
{
    size_t taken = http_parser_execute(&a->parser, &settings, bytes, n);
    if (a->why[0] != '\0')
        return -1;
    if (taken == n || a->is_complete)
        return 0;
    return refuse(a, "the answer is no HTTP", http_errno_description(HTTP_PARSER_ERRNO(&a->parser)));
}

void end_answer(struct answer *a)
{
    http_parser_execute(&a->parser, &settings, NULL, 0);
}

/* Returns the value of a field, and its length; NULL when it is not there. */
static const char *field(const struct answer *a, const char *name, size_t *n)
{
    size_t name_n = strlen(name);
    for (const char *line = a->head.at; (line = strchr(line, '\n')) != NULL;) {
        line++;
        if (strncasecmp(line, name, name_n) != 0 || line[name_n] != ':')
            continue;
        line += name_n + 2;
        *n = strcspn(line, "\r");
        return line;
    }
    return NULL;
}

static int judge(struct answer *a)
{
    unsigned status = a->parser.status_code;
    size_t n = 0;
    if (a->why[0] != '\0') {
        say("%s", a->why);
        return EXIT_NETWORK;
    }
    if (!a->has_head || (!a->is_complete && a->length == UINT64_MAX))
        say("the answer is cut: the server closed after %llu bytes of the body", (unsigned long long)a->got);
    else if (!a->is_complete)
        say("the answer is cut: the server closed after %llu of %llu bytes of the body", (unsigned long long)a->got,
            (unsigned long long)a->length);
    if (!a->is_complete)
        return EXIT_TLS;
    if (is_unwanted(a)) {
        say("the server answers %u %.*s", status, (int)strcspn(a->head.at, "\r"), a->head.at);
        return EXIT_NETWORK;
    }
    const char *location = status / 100 == 3 ? field(a, "location", &n) : NULL;
    if (location != NULL)
        say("%u: it is at %.*s, where this program does not follow", status, (int)n, location);
    return EXIT_DONE;
}

int finish_answer(struct answer *a)
{
    if (a->fd > STDOUT_FILENO && close(a->fd) != 0 && a->why[0] == '\0')
        refuse(a, a->wishes->output, strerror(errno));
    int code = judge(a);
    drop(&a->out, a->out.n);
    drop(&a->head, a->head.n);
    return code;
}
