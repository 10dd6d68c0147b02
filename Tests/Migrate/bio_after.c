/* bio_after.c - the buffers face: the same recv and send, without BIOs. */
#include "client.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <tlsmem.h>
#include <unistd.h>

/* manual: ask */
/* Sends what waits. Returns 1 when some of it went. */
static int sent_some(tlsmem *c, int fd)
{
    const void *bytes;
    size_t n;
    if (tlsmem_outgoing_peek(c, &bytes, &n) != TLSMEM_OK)
        return 0;
    ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        tlsmem_feed_error(c, errno);
    return sent > 0
           && tlsmem_outgoing_consume(c, (size_t)sent) == TLSMEM_OK;
}

/* Receives what the connection goes on with. */
static void receive(tlsmem *c, int fd)
{
    char wire[16384];
    ssize_t n = recv(fd, wire, sizeof wire, 0);
    if (n == 0)
        tlsmem_feed_eof(c);
    else if (n < 0 && errno != EAGAIN)
        tlsmem_feed_error(c, errno);
    else if (n > 0 && tlsmem_feed(c, wire, (size_t)n) < n)
        tlsmem_abort(c); /* or keep the rest: here all is read before */
}

/* Waits for what the connection waits for, and has it done. */
static void wait_for(tlsmem *c, int fd)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(c, &want);
    int64_t left = want.deadline_ms - tlsmem_now();
    struct pollfd p = { fd, 0, 0 };
    p.events = (short)((want.needs_ciphertext ? POLLIN : 0)
                       | (want.has_ciphertext ? POLLOUT : 0));
    if (p.events == 0)
        p.fd = -1;
    poll(&p, 1, want.deadline_ms < 0 ? -1 : left > 0 ? (int)left : 0);
    if (p.revents & ~POLLOUT)
        receive(c, fd);
    if (p.revents & ~POLLIN)
        sent_some(c, fd);
    tlsmem_tick(c, tlsmem_now());
}

int ask(const char *host, const char *port, const char *authorities)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    int ready = tlsmem_ctx_set_ca_file(ctx, authorities) == TLSMEM_OK;
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    int fd = dial(host, port);
    char text[4096];
    ptrdiff_t n = TLSMEM_ECONFIG;
    if (ready && tlsmem_set_server_name(c, host) == TLSMEM_OK)
        n = tlsmem_write(c, "hello\n", 6); /* waits for the handshake */
    while (n > 0 || n == TLSMEM_AGAIN) {
        n = tlsmem_read(c, text, sizeof text);
        if (n == TLSMEM_AGAIN)
            wait_for(c, fd);
        else if (n > 0 && heard(text, n))
            tlsmem_close(c); /* and on, until the peer has closed, too */
    }
    while (sent_some(c, fd)) /* of a failure, the alert */
        continue;
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
