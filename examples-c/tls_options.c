/* tls_options.c - the contexts of the example programs; see common.h. */
#include "common.h"
#include <string.h>

static tlsmem_preset preset(const char *name)
{
    if (strcmp(name, "modern") != 0 && strcmp(name, "intermediate") != 0)
        usage_error("--preset: %s is neither modern nor intermediate", name);
    return *name == 'm' ? TLSMEM_PRESET_MODERN : TLSMEM_PRESET_INTERMEDIATE;
}

int set_tls_options(tlsmem_ctx *ctx, const struct options *o)
{
    /* The preset first, which sets what the others change; the versions before the ciphers, which have to be for them. */
    int v = o->tls_version, status = o->preset != NULL ? tlsmem_ctx_set_preset(ctx, preset(o->preset)) : TLSMEM_OK;
    if (status == TLSMEM_OK && v != 0 && (status = tlsmem_ctx_set_min_version(ctx, v)) == TLSMEM_OK)
        status = tlsmem_ctx_set_max_version(ctx, v);
    if (status == TLSMEM_OK && o->ciphers != NULL)
        status = tlsmem_ctx_set_ciphers(ctx, o->ciphers);
    if (status == TLSMEM_OK && o->groups != NULL)
        status = tlsmem_ctx_set_groups(ctx, o->groups);
    if (status == TLSMEM_OK && o->alpn != NULL)
        status = tlsmem_ctx_set_alpn(ctx, o->alpn);
    if (status == TLSMEM_OK && o->keylog != NULL)
        status = tlsmem_ctx_set_keylog(ctx, o->keylog);
    return status;
}

tlsmem_ctx *server_context(const struct options *o, const char *client_ca)
{
    if (o->cert == NULL || o->key == NULL)
        usage_error("--cert and --key are needed");
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    if (add_keypairs(ctx, o) || tlsmem_ctx_set_cert_file(ctx, o->cert) || tlsmem_ctx_set_key_file(ctx, o->key)
        || (o->ca && (tlsmem_ctx_set_ca_file(ctx, o->ca) || tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL)))
        || (client_ca && tlsmem_ctx_set_ca_file(ctx, client_ca))
        || (client_ca && tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED)) || set_tls_options(ctx, o))
        context_refused(ctx);
    return ctx;
}

void context_refused(tlsmem_ctx *ctx)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    int known = tlsmem_ctx_error(ctx, &error) == TLSMEM_OK;
    say("%s", known ? error.sentence : tlsmem_strerror(TLSMEM_ENOMEM));
    tlsmem_ctx_free(ctx);
    exit(EXIT_TLS);
}
