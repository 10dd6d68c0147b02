/*
 * choosing.c - a client that learns from the server which certificate it wants, and shows it a moment later, or none.
 *
 *   choosing CA-FILE PORT [AUTHORITY CERT KEY]...
 *
 * It prints what it was asked, and "chosen N" (from 1) for the first AUTHORITY whose name is among those that the server takes,
 * the last when it names none, or "chosen 0"; then sends "ping", and prints what comes back.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsmem.h>

enum { MOST = 8, DELAY_MS = 50 };

static tlsmem_ctx *identities[MOST + 1]; /* 0 is nobody */
static char **authorities;
static int count, chosen;
static tlsmem *asker;
static uint64_t token;

static void answer(tlsmem_timer *timer, void *user)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    (void)user;
    reply.ctx = identities[chosen];
    printf("answered %s\n", tlsmem_status_name(tlsmem_answer(asker, token, TLSMEM_OK, &reply)));
    tlsmem_timer_free(timer);
}

static int on_request(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    size_t at = 0, names = 0, pss = 0;
    for (; at < request->authorities_bytes; names++) {
        size_t n = (size_t)(request->authorities[at] << 8 | request->authorities[at + 1]);
        for (int i = 0; i < count && chosen == 0; i++)
            if (memmem(request->authorities + at + 2, n, authorities[3 * i], strlen(authorities[3 * i])) != NULL)
                chosen = i + 1;
        at += 2 + n;
    }
    if (names == 0)
        chosen = count;
    for (size_t i = 0; i + 1 < request->schemes_bytes; i += 2)
        pss += request->schemes[i] == 0x08 && request->schemes[i + 1] == 0x04;
    printf("asked: %zu authorities, rsa_pss_rsae_sha256 %zu\nchosen %d\n", names, pss, chosen);
    asker = c;
    token = request->token;
    return tlsmem_loop_timer(user, DELAY_MS, answer, NULL) != NULL ? TLSMEM_LATER : TLSMEM_EINTERNAL;
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    printf("%.*s", (int)n, (const char *)bytes);
    tlsmem_close(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(c, &error);
    printf("closed %s: %s\n", tlsmem_status_name(report->status), error.sentence);
    tlsmem_loop_stop(user);
}

int main(int argc, char **argv)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    if (argc < 3 || argc > 3 + 3 * MOST || argc % 3 != 0)
        return 1;
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    authorities = argv + 3;
    for (count = 0; 3 + 3 * count < argc; count++) {
        tlsmem_ctx *identity = identities[count + 1] = tlsmem_ctx_new(TLSMEM_CLIENT);
        if (tlsmem_ctx_set_cert_file(identity, argv[4 + 3 * count]) != TLSMEM_OK
            || tlsmem_ctx_set_key_file(identity, argv[5 + 3 * count]) != TLSMEM_OK)
            return 1;
    }
    callbacks.on_data = on_data;
    callbacks.on_close = on_close;
    to.host = "127.0.0.1";
    to.port = atoi(argv[2]);
    if (tlsmem_ctx_set_ca_file(ctx, argv[1]) != TLSMEM_OK || tlsmem_ctx_set_client_cert_cb(ctx, on_request, loop) != TLSMEM_OK)
        return 1;
    tlsmem *c = tlsmem_new(ctx, &callbacks, loop);
    if (c == NULL || tlsmem_set_server_name(c, "localhost") != TLSMEM_OK || tlsmem_loop_connect(loop, c, &to) != TLSMEM_OK
        || tlsmem_write(c, "ping\n", 5) != 5 || tlsmem_loop_run(loop) != TLSMEM_OK)
        return 1;
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    for (int i = 1; i <= count; i++)
        tlsmem_ctx_free(identities[i]);
    tlsmem_loop_free(loop);
    return 0;
}
