/*
 * starttls_change.c - how a conversation goes over to TLS, and back: what nobody may slip in at the first change, and what
 * must not be lost at the second.
 */
#include "starttls.h"
#include <unistd.h>

int talk_start_tls(struct talk *t, tlsmem_ctx *ctx, const char *name)
{
    int status;
    if (t->in.n > 0)
        return talk_fail(t, EXIT_TLS, "%zu bytes in plain came before TLS and are not taken for protected ones", t->in.n);
    t->c = tlsmem_new(ctx, NULL, NULL);
    if (t->c == NULL)
        return talk_fail(t, EXIT_TLS, "%s", tlsmem_strerror(TLSMEM_ENOMEM));
    if (name != NULL && tlsmem_set_server_name(t->c, name) != TLSMEM_OK)
        return talk_fail(t, EXIT_USAGE, "%s is no name of a server", name);
    status = tlsmem_set_fd(t->c, t->fd); /* which has carried other bytes before, and stays ours */
    while (status == TLSMEM_OK && (status = tlsmem_handshake(t->c)) == TLSMEM_AGAIN && talk_drive(t) == 0)
        status = TLSMEM_OK;
    if (status == TLSMEM_AGAIN)
        return -1;
    return status == TLSMEM_OK ? 0 : talk_tls_failed(t, status);
}

int talk_stop_tls(struct talk *t)
{
    char plain[4096];
    ptrdiff_t n;
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    int status = tlsmem_unwrap(t->c);
    while (status == TLSMEM_OK && tlsmem_want(t->c, &want) == TLSMEM_OK && want.state != TLSMEM_STATE_CLOSED
           && !want.has_plaintext)
        if (talk_drive(t) != 0)
            return -1;
    tlsmem_want(t->c, &want);
    if (want.has_plaintext || t->in.n > 0)
        return talk_fail(t, EXIT_TLS, "the peer goes on by TLS, of which the end was agreed upon");
    while ((n = tlsmem_unwrapped(t->c, plain, sizeof plain)) > 0)
        keep(&t->in, plain, (size_t)n);
    if (n < 0)
        return talk_tls_failed(t, n);
    tlsmem_free(t->c); /* which leaves the socket open: it is ours */
    t->c = NULL;
    return 0;
}

void talk_end(struct talk *t)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    if (t->c != NULL) {
        int code = t->code;
        tlsmem_close(t->c); /* or its alert is on the way already */
        while (tlsmem_fd(t->c) >= 0 && tlsmem_want(t->c, &want) == TLSMEM_OK && want.state != TLSMEM_STATE_CLOSED
               && talk_drive(t) == 0)
            ;
        t->code = code;
    }
    tlsmem_free(t->c);
    t->c = NULL;
    drop(&t->in, t->in.n);
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
