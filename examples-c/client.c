/* client.c - a client's context; see client.h. */
#include "client.h"

tlsmem_ctx *client_context(const struct options *o)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (set_tls_options(ctx, o) || (o->insecure && tlsmem_ctx_insecure_no_verify(ctx))
        || (o->ca && tlsmem_ctx_set_ca_file(ctx, o->ca)) || (trusts_system(o) && tlsmem_ctx_set_ca_system(ctx))
        || (o->cert && tlsmem_ctx_set_cert_file(ctx, o->cert)) || (o->key && tlsmem_ctx_set_key_file(ctx, o->key))
        || set_responses(ctx, o))
        context_refused(ctx);
    return ctx;
}
