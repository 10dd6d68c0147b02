/*
 * settings_questions.c - the words whose setters take a function: what the program answers, and what it is told.
 */
#define _POSIX_C_SOURCE 200809L
#include "settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is told of a connection is kept where its user pointer points to. */
static struct told *told(const tlsmem *c)
{
    return tlsmem_user(c);
}

/* Appends to a text of that size, as far as there is room. */
static void append(char *text, size_t size, const char *more, size_t n)
{
    size_t length = strlen(text);
    if (n > size - 1 - length)
        n = size - 1 - length;
    memcpy(text + length, more, n);
    text[length + n] = '\0';
}

static void note_hello(struct told *t, const tlsmem_client_hello *hello)
{
    t->hellos++;
    t->hello_version = hello->version;
    append(t->hello_name, sizeof t->hello_name, hello->server_name ? hello->server_name : "",
           hello->server_name ? strlen(hello->server_name) : 0);
    for (size_t i = 0; i + 1 < hello->alpn_bytes; i += 1 + (size_t)hello->alpn[i]) {
        append(t->hello_alpn, sizeof t->hello_alpn, ",", i > 0);
        append(t->hello_alpn, sizeof t->hello_alpn, (const char *)hello->alpn + i + 1, hello->alpn[i]);
    }
}

static int refuse(tlsmem *c, const tlsmem_client_hello *hello, void *alert)
{
    note_hello(told(c), hello);
    return atoi(alert);
}

static int choose_protocol(tlsmem *c, const tlsmem_client_hello *hello, void *protocol)
{
    note_hello(told(c), hello);
    return tlsmem_select_alpn(c, protocol) == TLSMEM_OK ? TLSMEM_OK : 120; /* no_application_protocol */
}

static int choose_context(tlsmem *c, const tlsmem_client_hello *hello, void *ctx)
{
    note_hello(told(c), hello);
    return tlsmem_set_ctx(c, ctx);
}

/* A context of words, which lives as long as the program. */
static tlsmem_ctx *context_of(char *words)
{
    struct settings other = { .limits = TLSMEM_LIMITS_INIT, .ctx = tlsmem_ctx_new(TLSMEM_SERVER) };
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        apply(&other, word);
    apply_limits(&other);
    return other.ctx;
}

int hello(tlsmem_ctx *ctx, const char *value)
{
    char *what = strchr(value, ':');
    if (what++ == NULL)
        return TLSMEM_EINVAL;
    if (strncmp(value, "refuse:", 7) == 0)
        return tlsmem_ctx_set_client_hello_cb(ctx, refuse, what);
    if (strncmp(value, "alpn:", 5) == 0)
        return tlsmem_ctx_set_client_hello_cb(ctx, choose_protocol, what);
    if (strncmp(value, "ctx:", 4) == 0)
        return tlsmem_ctx_set_client_hello_cb(ctx, choose_context, context_of(what));
    return TLSMEM_EINVAL;
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *answer)
{
    snprintf(told(c)->verdict, sizeof told(c)->verdict, "%ld at %d", verdict->result, verdict->depth);
    if (strcmp(answer, "accept") == 0)
        verdict->insecure_accept = 1;
    return strcmp(answer, "refuse") == 0 ? -1 : atoi(answer); /* of a word that is no number: 0, which is TLSMEM_OK */
}

int verdict(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_verify_cb(ctx, on_verdict, (void *)(size_t)value);
}

static void on_secret(tlsmem *c, const char *line, void *path)
{
    (void)c;
    FILE *file = fopen(path, "a");
    if (file == NULL) {
        perror(path);
        exit(EXIT_USAGE);
    }
    fprintf(file, "%s\n", line);
    fclose(file);
}

int keylog_cb(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_keylog_cb(ctx, on_secret, (void *)(size_t)value);
}

/* The messages of a handshake, but for tickets: those come when the server likes. A certificate may come compressed
 * (RFC 8879), which from OpenSSL 3.2 on it does where both sides can. */
static void on_piece(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    (void)user;
    char *trace = told(c)->trace;
    if (info->kind != TLSMEM_TRACE_MESSAGE || info->content_type != 22 || info->handshake_type == 4)
        return;
    append(trace, sizeof told(c)->trace, ",", trace[0] != '\0');
    append(trace, sizeof told(c)->trace, info->sent ? ">" : "<", 1);
    const char *name = strcmp(info->name, "CompressedCertificate") == 0 ? "Certificate" : info->name;
    append(trace, sizeof told(c)->trace, name, strlen(name));
}

int trace(tlsmem_ctx *ctx, const char *value)
{
    (void)value;
    return tlsmem_ctx_set_trace_cb(ctx, on_piece, NULL);
}

void print_told(const struct told *t)
{
    number("hellos", t->hellos);
    number("hello_version", t->hello_version);
    fact("hello_name", t->hello_name);
    fact("hello_alpn", t->hello_alpn);
    fact("verdict", t->verdict);
    fact("trace", t->trace);
}
