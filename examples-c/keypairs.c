/* keypairs.c - certificates beside the one of --cert and --key: what the --keypair options of a server say. */
#include "common.h"
#include <string.h>

int add_keypairs(tlsmem_ctx *ctx, const struct options *o)
{
    int status = TLSMEM_OK;
    if (o->keypairs > KEYPAIRS_MAX)
        usage_error("--keypair: %d are the most", KEYPAIRS_MAX);
    for (long i = 0; i < o->keypairs && status == TLSMEM_OK; i++) {
        char *name = strdup(o->keypair[i]), *cert = name != NULL ? strchr(name, '=') : NULL;
        char *key = cert != NULL ? strchr(cert, ',') : NULL;
        if (key == NULL)
            usage_error("--keypair: %s is not NAME=CERT,KEY", o->keypair[i]);
        *cert++ = '\0';
        *key++ = '\0';
        status = tlsmem_ctx_add_keypair(ctx, name[0] != '\0' ? name : NULL, cert, key);
        free(name);
    }
    return status;
}
