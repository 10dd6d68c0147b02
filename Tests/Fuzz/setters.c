/*
 * Everything that reads what a program was given by somebody: certificates, keys, lists, names, addresses.
 *
 *   byte 0    which format
 *   byte 1    of a client's or a server's context, and more where a format wants it
 *   the rest  the bytes
 *
 * A setter that refuses leaves the context as it was, and says why; what it takes must serve for a connection.
 */
#include "setters.h"

/** What was set must not break what is done with it. */
static void use(tlsmem_ctx *ctx, tlsmem_role role)
{
    tlsmem_ctx *other = role == TLSMEM_CLIENT ? peer_server() : peer_client();
    tlsmem_pair *pair = tlsmem_pair_new(ctx, other);
    if (pair == NULL)
        return;
    tlsmem *client = tlsmem_pair_end(pair, role == TLSMEM_CLIENT ? 0 : 1), *own = tlsmem_pair_end(pair, 0);
    IGNORE(tlsmem_set_server_name(client, "fuzz.example"));
    SAY(own, "hello");
    MUST(tlsmem_pair_run(pair, 20000) >= 0);
    ask_everything(own);
    tlsmem_pair_free(pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    input in = { bytes, n };
    world_begin(7);
    const format *f = &formats[below(&in, formats_count)];
    unsigned more = take(&in);
    tlsmem_role role = more & 1 ? TLSMEM_SERVER : TLSMEM_CLIENT;
    /* Texts have an end, and nothing behind it that may be read; nor have bytes. */
    size_t length = in.left;
    char *copy = malloc(length + (f->is_text != 0));
    MUST(copy != NULL);
    if (length > 0)
        memcpy(copy, in.at, length);
    if (f->is_text)
        copy[length] = 0;
    tlsmem_ctx *ctx = context(role, more & 2 ? 0 : -1);
    int status = f->set(ctx, role, copy, length, more >> 2);
    MUST(status <= 0 && status >= TLSMEM_ESIGN && status != TLSMEM_EINTERNAL);
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK && memchr(error.sentence, 0, sizeof error.sentence) != NULL);
    MUST(status != TLSMEM_ECONFIG || (error.status == TLSMEM_ECONFIG && error.sentence[0] != 0));
    if (status == TLSMEM_OK)
        use(ctx, role);
    tlsmem_ctx_free(ctx);
    free(copy);
    world_end();
    return 0;
}
