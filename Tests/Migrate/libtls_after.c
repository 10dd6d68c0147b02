/* libtls_after.c - the registry: it connects by name as tls_connect does, and waits where that one blocks. */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>
#include <tlsmem.h>

/* manual: ask */
int ask(const char *host, const char *port, const char *authorities)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    int ready = tlsmem_ctx_set_ca_file(ctx, authorities) == TLSMEM_OK;
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    char text[4096];
    ptrdiff_t n = TLSMEM_ECONFIG;
    to.host = host; /* and the name that is verified */
    to.port = atoi(port);
    if (ready && tlsmem_loop_connect(loop, c, &to) == TLSMEM_OK)
        n = tlsmem_write(c, "hello\n", 6); /* waits for the handshake */
    while (n > 0 || n == TLSMEM_AGAIN) {
        n = tlsmem_read(c, text, sizeof text);
        if (n == TLSMEM_AGAIN && tlsmem_loop_run_once(loop, -1) < 0)
            break;
        if (n > 0 && heard(text, n))
            tlsmem_close(c); /* and on, until the peer has closed, too */
    }
    tlsmem_error_info why = TLSMEM_ERROR_INFO_INIT;
    int told = ready ? tlsmem_error(c, &why) : tlsmem_ctx_error(ctx, &why);
    if (n < 0 && told == TLSMEM_OK)
        fprintf(stderr, "%s\n", why.sentence);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    return n < 0;
}
/* end of ask */
