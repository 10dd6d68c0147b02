#define _GNU_SOURCE
#include "identity.h"

#include <openssl/ssl.h>

int times_asked;
char asked_for[512];

contents contents_of(const char *path)
{
    contents c = { NULL, 0 };
    FILE *file = fopen(path, "rb");
    MUST(file != NULL && (c.bytes = malloc(65536)) != NULL);
    c.n = fread(c.bytes, 1, 65536, file);
    MUST(fclose(file) == 0 && c.n > 0 && c.n < 65536);
    return c;
}

void refused_at(const char *file, int line, tlsmem_ctx *ctx, const char *what, int status, const char *one,
                const char *other)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK);
    check_at(file, line, status == TLSMEM_ECONFIG && error.status == status, "%s: %s", what, tlsmem_status_name(status));
    check_at(file, line, strstr(error.sentence, one) != NULL && strstr(error.sentence, other) != NULL,
             "%s: \"%s\" says neither \"%s\" nor \"%s\", or only one", what, error.sentence, one, other);
}

tlsmem_ctx *nobody(void)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    MUST(ctx != NULL);
    return ctx;
}

tlsmem_ctx *choosy(int version, const char *algorithms)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, version);
    MUST(algorithms == NULL || SSL_CTX_set1_sigalgs_list(tlsmem_ctx_native(ctx), algorithms) == 1);
    return ctx;
}

tlsmem_ctx *careless(int version, const char *algorithms)
{
    tlsmem_ctx *ctx = choosy(version, algorithms);
    MUST(tlsmem_ctx_insecure_no_verify(ctx) == TLSMEM_OK);
    return ctx;
}

static int move(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    int moved = 0;
    while (tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK) {
        IGNORE(tlsmem_feed(to, bytes, n));
        MUST(tlsmem_outgoing_consume(from, n) == TLSMEM_OK);
        moved = 1;
    }
    return moved;
}

outcome meet(tlsmem_ctx *client, tlsmem_ctx *server, const char *name)
{
    outcome o = { .alert = -1 };
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem *c = tlsmem_new(client, NULL, NULL), *s = tlsmem_new(server, NULL, NULL);
    MUST(c != NULL && s != NULL && (name == NULL || tlsmem_set_server_name(c, name) == TLSMEM_OK));
    IGNORE(tlsmem_handshake(c));
    IGNORE(tlsmem_handshake(s));
    while (move(c, s) + move(s, c) > 0)
        ;
    o.client = failure_of(c);
    o.server = failure_of(s);
    MUST(tlsmem_error(s, &error) == TLSMEM_OK);
    o.alert = error.alert_sent;
    memcpy(o.sentence, error.sentence, sizeof o.sentence);
    CHECK(o.client != TLSMEM_OK || o.server != TLSMEM_OK || (tlsmem_is_established(c) && tlsmem_is_established(s)),
          "neither failed nor established");
    IGNORE(tlsmem_peer_subject(c, o.subject, sizeof o.subject));
    IGNORE(tlsmem_peer_subject(s, o.clients_subject, sizeof o.clients_subject));
    tlsmem_free(c);
    tlsmem_free(s);
    return o;
}

void shows_at(const char *file, int line, tlsmem_ctx *client, tlsmem_ctx *server, const char *name, const char *subject)
{
    outcome o = meet(client, server, name);
    check_at(file, line, o.client == TLSMEM_OK && o.server == TLSMEM_OK, "%s: the client %s, the server %s: %s",
             name != NULL ? name : "no name", tlsmem_status_name(o.client), tlsmem_status_name(o.server), o.sentence);
    check_at(file, line, strncmp(o.subject, "CN=", 3) == 0 && strcmp(o.subject + 3, subject) == 0,
             "%s: shown is %s, not %s", name != NULL ? name : "no name", o.subject, subject);
    tlsmem_ctx_free(client);
}

outcome fails_at(const char *file, int line, tlsmem_ctx *client, tlsmem_ctx *server, const char *name, int clients,
                 int servers)
{
    outcome o = meet(client, server, name);
    check_at(file, line, o.client == clients && o.server == servers, "%s: the client %s, the server %s: %s",
             name != NULL ? name : "no name", tlsmem_status_name(o.client), tlsmem_status_name(o.server), o.sentence);
    tlsmem_ctx_free(client);
    return o;
}

ptrdiff_t tell(char *password, size_t size, const char *subject, void *user)
{
    const char *text = user;
    times_asked++;
    snprintf(asked_for, sizeof asked_for, "%s", subject != NULL ? subject : "memory");
    if (text == NULL)
        return -1;
    CHECK(size >= 1024, "room for %zu bytes only", size);
    memcpy(password, text, strlen(text)); /* without its zero */
    memset(password + strlen(text), 'x', size - strlen(text));
    return (ptrdiff_t)strlen(text);
}
