/* client.c - a client's context; see client.h. */
#include "client.h"

tlsmem_ctx *client_context(const struct options *o)
{
    tlsmem_ctx *ctx = new_context(TLSMEM_CLIENT, o);
    if (ctx == NULL)
        exit(EXIT_TLS);
    return ctx;
}
