#include "fuzz.h"

#include "../FaultyKernel/false_clock.h"

#include <time.h>

unsigned take(input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

unsigned take_two(input *in)
{
    unsigned high = take(in);
    return high << 8 | take(in);
}

unsigned below(input *in, unsigned limit)
{
    return (limit <= 256 ? take(in) : take_two(in)) % limit;
}

const uint8_t *take_bytes(input *in, size_t n, size_t *got)
{
    const uint8_t *bytes = in->at;
    *got = n < in->left ? n : in->left;
    in->at += *got, in->left -= *got;
    return bytes;
}

void world_begin(uint64_t seed)
{
    false_clock(1);
    false_clock_hold_day();
    false_clock_jump((int64_t)WORLD_DAY - (int64_t)time(NULL));
    MUST(tlsmem_insecure_randomness(seed) == TLSMEM_OK);
}

void world_end(void)
{
    false_clock_let_day_go();
    false_clock(0);
    if (keep_edges != NULL)
        keep_edges();
}

tlsmem_ctx *context(tlsmem_role role, int which)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(ctx != NULL);
    MUST(tlsmem_ctx_set_ca_mem(ctx, identity_of(0)->cert, strlen(identity_of(0)->cert)) == TLSMEM_OK);
    if (which >= 0) {
        const identity *i = identity_of(which);
        MUST(tlsmem_ctx_set_cert_mem(ctx, i->cert, strlen(i->cert)) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_key_mem(ctx, i->key, strlen(i->key)) == TLSMEM_OK);
    }
    return ctx;
}

void limits_of(tlsmem_ctx *ctx, size_t outgoing_max, size_t incoming_max)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.outgoing_max = outgoing_max, limits.outgoing_low = outgoing_max / 4, limits.outgoing_high = outgoing_max / 2;
    limits.incoming_max = incoming_max, limits.incoming_low = incoming_max / 2;
    MUST(tlsmem_ctx_set_limits(ctx, &limits) == TLSMEM_OK);
}
