/* A stranger's program that is not linked with the library, and loads it: in C99 to C17 and in C++. */
#include <tlsmem_dynamic.h>

static tlsmem_api tls;

int main(void)
{
    if (tlsmem_load(NULL, &tls) != TLSMEM_OK)
        return fprintf(stderr, "%s\n", tls.sentence), 1;
    tlsmem_ctx *ctx = tls.ctx_new(TLSMEM_CLIENT);
    tlsmem *c = tls.new_(ctx, NULL, NULL);
    int right = c != NULL && strcmp(tls.version_string(), TOLD_VERSION) == 0 && tls.write(c, "hello", 5) == 5;
    tls.free(c);
    tls.ctx_free(ctx);
    tlsmem_unload(&tls);
    return right && tls.new_ == NULL ? 0 : 1;
}
