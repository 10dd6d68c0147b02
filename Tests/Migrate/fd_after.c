/* fd_after.c - the fd face: the same socket and the same poll, and one rule for both. */
#include "client.h"
#include <poll.h>
#include <stdio.h>
#include <tlsmem.h>
#include <unistd.h>

/* manual: wait */
/* Waits for what the connection waits for, and has it done. */
static void wait_for(tlsmem *c)
{
    int64_t deadline = tlsmem_deadline(c), left = deadline - tlsmem_now();
    struct pollfd p = { tlsmem_fd(c), (short)tlsmem_interest(c), 0 };
    if (p.events == 0)
        p.fd = -1; /* or poll would tell of a hang-up for ever */
    poll(&p, 1, deadline < 0 ? -1 : left > 0 ? (int)left : 0);
    if (p.revents & ~POLLOUT) /* errors and hang-ups, too */
        tlsmem_on_readable(c);
    if (p.revents & ~POLLIN)
        tlsmem_on_writable(c);
    tlsmem_tick(c, tlsmem_now());
}
/* end of wait */

/* manual: ask */
int ask(const char *host, const char *port, const char *authorities)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    int ready = tlsmem_ctx_set_ca_file(ctx, authorities) == TLSMEM_OK;
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    int fd = dial(host, port);
    char text[4096];
    ptrdiff_t n = TLSMEM_ECONFIG;
    if (ready && tlsmem_set_server_name(c, host) == TLSMEM_OK
        && tlsmem_set_fd(c, fd) == TLSMEM_OK)
        n = tlsmem_write(c, "hello\n", 6); /* waits for the handshake */
    while (n > 0 || n == TLSMEM_AGAIN) {
        n = tlsmem_read(c, text, sizeof text);
        if (n == TLSMEM_AGAIN)
            wait_for(c);
        else if (n > 0 && heard(text, n))
            tlsmem_close(c); /* and on, until the peer has closed, too */
    }
    tlsmem_error_info why = TLSMEM_ERROR_INFO_INIT;
    int told = ready ? tlsmem_error(c, &why) : tlsmem_ctx_error(ctx, &why);
    if (n < 0 && told == TLSMEM_OK)
        fprintf(stderr, "%s\n", why.sentence);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    close(fd);
    return n < 0;
}
/* end of ask */
