/*
 * starttls_change.c - how a conversation goes over to TLS, and back: what nobody may slip in at the first change, and what
 * must not be lost at the second.
 */
#include "starttls.h"
#include <unistd.h>

enum { HEADER = 5, RECORD_MAX = 16384 + 2048 }; /* RFC 5246, 6.2.3; records of TLS 1.3 are shorter */

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

/* Receives exactly one record, because what follows the last one is in plain: the library would take that for leavings of
   the TLS connection and drop it. */
static int feed_record(struct talk *t)
{
    unsigned char record[HEADER + RECORD_MAX];
    size_t n = 0, whole = HEADER;
    while (n < whole) {
        ptrdiff_t got = receive_plain(t, record + n, whole - n);
        if (got < 0)
            return t->why[0] != '\0' ? -1 : talk_fail(t, EXIT_TLS, "the peer closed without close_notify");
        n += (size_t)got;
        if (n == HEADER)
            whole = HEADER + ((size_t)record[3] << 8 | record[4]);
        if (n >= HEADER && (record[1] != 3 || whole > sizeof record))
            return talk_fail(t, EXIT_TLS, "the peer does not end TLS, and sends something else");
    }
    ptrdiff_t fed = tlsmem_feed(t->c, record, n);
    return fed >= 0 ? 0 : talk_tls_failed(t, fed);
}

static int send_outgoing(struct talk *t)
{
    const void *bytes;
    size_t n;
    while (tlsmem_outgoing_peek(t->c, &bytes, &n) == TLSMEM_OK) {
        if (send_plain(t, bytes, n) != 0)
            return -1;
        tlsmem_outgoing_consume(t->c, n);
    }
    return 0;
}

int talk_stop_tls(struct talk *t)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(t->c, &want);
    if (want.peer_closed)
        return talk_fail(t, EXIT_TLS, "the peer ended TLS before that was agreed upon: what it said in plain is lost");
    tlsmem_take_fd(t->c); /* from here on the buffers face: every byte that is received is counted */
    tlsmem_close_write(t->c);
    while (!want.peer_closed && !want.has_plaintext && t->in.n == 0) {
        if (send_outgoing(t) != 0 || feed_record(t) != 0)
            return -1;
        tlsmem_want(t->c, &want);
    }
    if (want.has_plaintext || t->in.n > 0)
        return talk_fail(t, EXIT_TLS, "the peer goes on by TLS, of which the end was agreed upon");
    tlsmem_free(t->c);
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
