/* tlsmem_common.c - see tlsmem_common.h. */
#include "tlsmem_common.h"
#include "common.h"

tlsmem_ctx *tlsmem_context(void)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    if (tlsmem_ctx_set_cert_file(ctx, options.cert) || tlsmem_ctx_set_key_file(ctx, options.key)
        || tlsmem_ctx_set_min_version(ctx, TLSMEM_TLS1_3) || tlsmem_ctx_set_ciphers(ctx, "TLS_AES_128_GCM_SHA256"))
        fail("--cert or --key is not usable");
    return ctx;
}

void stream(tlsmem *c, size_t most)
{
    ptrdiff_t n;
    for (size_t written = 0; written < most && !tlsmem_is_congested(c); written += (size_t)n)
        if ((n = tlsmem_write(c, block, options.size)) < 0)
            return;
}

void answer_in(tlsmem *c, unsigned *matched, const void *bytes, size_t n)
{
    struct answer answer = answer_to(matched, bytes, n);
    if (answer.n > 0 && tlsmem_write(c, answer.bytes, answer.n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c); /* until on_drain */
}
