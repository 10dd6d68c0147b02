/* Contexts with everything that comes from files, which is refused and asked for again; and a session that is logged. */
#define _GNU_SOURCE
#include "sweep.h"

#include <unistd.h>

static char folder[64], keylog[96], keys[96];

static void make_files(void)
{
    strcpy(folder, "/tmp/tlsmem-XXXXXX");
    MUST(mkdtemp(folder) != NULL);
    snprintf(keylog, sizeof keylog, "%s/keylog", folder);
    snprintf(keys, sizeof keys, "%s/keys", folder);
    FILE *file = fopen(keys, "w");
    MUST(file != NULL);
    for (int i = 0; i < 160; i++)
        fputc("0123456789abcdef"[i % 16], file);
    fprintf(file, "  0 100000000000 100000000000\n");
    MUST(fclose(file) == 0);
}

static void remove_files(void)
{
    remove(keylog);
    MUST(remove(keys) == 0 && rmdir(folder) == 0);
}

/** Every setter that reads. Each failure is one of its own. */
static int load_server(tlsmem_ctx *ctx)
{
    return TRY(tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")))
           & TRY(tlsmem_ctx_set_key_file(ctx, certificate("server.key")))
           & TRY(tlsmem_ctx_add_keypair(ctx, "b.example", certificate("b.pem"), certificate("b.key")))
           & TRY(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")))
           & TRY(tlsmem_ctx_set_accepted_ca_file(ctx, certificate("other-ca.pem")))
           & TRY(tlsmem_ctx_add_crl(ctx, certificate("corpus/stranger.crl")))
           & TRY(tlsmem_ctx_set_crl_check(ctx, TLSMEM_CRL_NONE))
           & TRY(tlsmem_ctx_set_ocsp_response(ctx, certificate("server.good.ocsp")))
           & TRY(tlsmem_ctx_set_ticket_keys_file(ctx, keys))
           & TRY(tlsmem_ctx_set_alpn(ctx, "h2,http/1.1"))
           & TRY(tlsmem_ctx_set_keylog(ctx, keylog));
}

static int load_client(tlsmem_ctx *ctx)
{
    return TRY(tlsmem_ctx_set_pkcs12(ctx, certificate("full.p12"), "secret"))
           & TRY(tlsmem_ctx_set_ca_dir(ctx, folder))
           & TRY(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")))
           & TRY(tlsmem_ctx_set_alpn(ctx, "http/1.1"))
           & TRY(tlsmem_ctx_set_keylog(ctx, keylog));
}

static int move(tlsmem *from, tlsmem *to)
{
    const void *bytes;
    size_t n;
    int moved = 0;
    for (; tlsmem_outgoing_peek(from, &bytes, &n) == TLSMEM_OK; moved = 1) {
        IGNORE(tlsmem_feed(to, bytes, n) < 0);
        MUST(tlsmem_outgoing_consume(from, n) == TLSMEM_OK);
    }
    return moved;
}

/** They serve, as they would have without the fault. */
static void meet(tlsmem_ctx *from, tlsmem_ctx *to)
{
    tlsmem *client = sweep_new(from, NULL, NULL), *server = sweep_new(to, NULL, NULL);
    if (client != NULL && server != NULL && TRY(tlsmem_set_server_name(client, "localhost"))) {
        IGNORE(tlsmem_handshake(client) < 0);
        while (move(client, server) + move(server, client) > 0)
            ;
        CHECK(sweep_excuses(failure_of(client)) && sweep_excuses(failure_of(server)), "%s and %s",
              tlsmem_status_name(failure_of(client)), tlsmem_status_name(failure_of(server)));
        CHECK(!sweep_is_clean() || (tlsmem_is_established(client) && tlsmem_is_established(server)), "no handshake");
    }
    tlsmem_free(client);
    tlsmem_free(server);
}

static void play(void)
{
    make_files();
    tlsmem_ctx *to = sweep_ctx_new(TLSMEM_SERVER), *from = sweep_ctx_new(TLSMEM_CLIENT);
    if (to != NULL && from != NULL && (load_server(to) & load_client(from)) != 0)
        meet(from, to);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
    remove_files();
}

const scene load_scene = { "load", play };
