/* client.c - a client's context; see client.h. */
#include "client.h"

tlsmem_ctx *client_context(const struct options *o)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    int v = o->tls_version, trust = o->insecure ? tlsmem_ctx_insecure_no_verify(ctx)
                                    : o->ca     ? tlsmem_ctx_set_ca_file(ctx, o->ca)
                                                : tlsmem_ctx_set_ca_system(ctx);
    if (trust || (o->cert && tlsmem_ctx_set_cert_file(ctx, o->cert)) || (o->key && tlsmem_ctx_set_key_file(ctx, o->key))
        || (o->alpn && tlsmem_ctx_set_alpn(ctx, o->alpn)) || (o->keylog && tlsmem_ctx_set_keylog(ctx, o->keylog))
        || (v && (tlsmem_ctx_set_min_version(ctx, v) || tlsmem_ctx_set_max_version(ctx, v))))
        context_refused(ctx);
    return ctx;
}
