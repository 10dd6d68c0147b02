/* hundred_seeds.c - an echo over a hundred bad networks: hundred_seeds [RECORDING]; shown by tlsmem-testing(7) */
/* manual: whole */
#include <stdio.h>
#include <string.h>
#include <tlsmem.h>

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (tlsmem_write(c, bytes, n) != (ptrdiff_t)n)
        tlsmem_abort(c);
}

static tlsmem_ctx *context(tlsmem_role role)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    int status = tlsmem_ctx_set_psk(ctx, "test", "0123456789abcdef", 16);
    return status == TLSMEM_OK ? ctx : NULL;
}

/* manual: record */
static void record(const void *bytes, size_t n, void *user)
{
    fwrite(bytes, 1, n, user);
}
/* end of record */

static int passes(uint64_t seed, FILE *recording)
{
    tlsmem_callbacks echo = TLSMEM_CALLBACKS_INIT;
    tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT;
    char answer[5], why[256];
    if (tlsmem_insecure_randomness(seed) != TLSMEM_OK)
        return 0;
    tlsmem_ctx *a = context(TLSMEM_CLIENT), *b = context(TLSMEM_SERVER);
    tlsmem_pair *pair = tlsmem_pair_new(a, b);
    tlsmem *client = tlsmem_pair_end(pair, 0);
    tlsmem *server = tlsmem_pair_end(pair, 1);

    echo.on_data = on_data;
    tlsmem_set_callbacks(server, &echo, NULL);
    int good = !recording ||
        tlsmem_set_record_cb(server, record, recording) == TLSMEM_OK;
    faults.seed = seed;
    faults.chunk_most = 100;
    faults.delay_most_ms = 500;
    faults.refuse_permille = 200;
    tlsmem_wire_set_faults(tlsmem_pair_wire(pair, 0), &faults);
    tlsmem_wire_set_faults(tlsmem_pair_wire(pair, 1), &faults);

    good = good && tlsmem_write(client, "hello", 5) == 5;
    tlsmem_pair_run(pair, INT64_MAX);
    good = good && tlsmem_read(client, answer, 5) == 5
        && memcmp(answer, "hello", 5) == 0;
    if (!good && tlsmem_pair_tell(pair, why, sizeof why) == TLSMEM_OK)
        printf("seed %llu: %s\n", (unsigned long long)seed, why);
    tlsmem_pair_free(pair);
    tlsmem_ctx_free(a);
    tlsmem_ctx_free(b);
    return good;
}

int main(int argc, char **argv)
{
    FILE *recording = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (argc > 1 && recording == NULL)
        return 1;
    for (uint64_t seed = 1; seed <= 100; seed++) /* the first is recorded */
        if (!passes(seed, seed == 1 ? recording : NULL))
            return 1;
    if (recording)
        fclose(recording);
    puts("100 seeds passed");
    return 0;
}
/* end of whole */
