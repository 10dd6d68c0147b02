/*
 * shim.c - the exchange with the runner over libtlsmem. BOGO_FACE in the environment chooses the face: buffers, fd, or either,
 * which is one of them for each test, always the same one.
 */
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "shim.h"

struct context {
    tlsmem_ctx *ctx;
    tlsmem_ticket_key key;
};

static bool is_fd_face(const struct flags *flags)
{
    const char *face = getenv("BOGO_FACE");
    if (face == NULL || strcmp(face, "either") != 0)
        return face != NULL && strcmp(face, "fd") == 0;
    return flags->sum % 2 == 1;
}

/* Connections with other flags have another context, and take the tickets of the one before by this key. */
struct context *context_new(const struct flags *flags, struct context *before)
{
    struct context *context = calloc(1, sizeof *context);
    tlsmem_ticket_key fresh = TLSMEM_TICKET_KEY_INIT;
    context->ctx = shim_context(flags);
    if (!flags->server || flags->resume_count == 0 || flags->async) /* then there is a store */
        return context;
    fresh.encrypt_until = fresh.decrypt_until = INT64_MAX;
    if (RAND_bytes(fresh.name, sizeof fresh.name) != 1 || RAND_bytes(fresh.secret, sizeof fresh.secret) != 1)
        unimplemented("random numbers");
    context->key = before != NULL ? before->key : fresh;
    if (!flags->no_ticket && tlsmem_ctx_add_ticket_key(context->ctx, &context->key) != TLSMEM_OK)
        unimplemented("a key for tickets");
    return context;
}

/* Sessions older than TLS 1.2 are not libtlsmem's, which refuses them: they go from SSL to SSL. */
static int offer(struct tls *tls, struct tls *before)
{
    tlsmem_session *session = tlsmem_session_get(before->c);
    if (session == NULL)
        return TLSMEM_ESESSION;
    int status = tlsmem_session_set(tls->c, session);
    if (status == TLSMEM_EVERSION && SSL_set_session(tlsmem_native(tls->c), SSL_get0_session(tlsmem_native(before->c))) == 1)
        status = TLSMEM_OK;
    tlsmem_session_free(session);
    return status;
}

struct tls *tls_new(struct context *context, const struct flags *flags, int fd, struct tls *before)
{
    struct tls *tls = calloc(1, sizeof *tls);
    tls->flags = flags;
    tls->fd = fd;
    tls->comes_back = before != NULL && !flags->expect_session_miss;
    tls->fd_face = is_fd_face(flags);
    tls->c = tlsmem_new(context->ctx, NULL, tls);
    bool good = tls->c != NULL;
    if (good && tls->fd_face)
        good = tlsmem_set_fd(tls->c, fd) == TLSMEM_OK;
    if (good && flags->host_name != NULL)
        good = tlsmem_set_server_name(tls->c, flags->host_name) == TLSMEM_OK;
    int offered = good && before != NULL && !flags->server ? offer(tls, before) : TLSMEM_OK;
    if (good && offered == TLSMEM_OK)
        return tls;
    fprintf(stderr, "%s\n", tlsmem_strerror(offered));
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    tlsmem_free(tls->c);
    free(tls->answer_bytes);
    free(tls);
}

bool tls_has_session(struct tls *tls)
{
    tlsmem_session *session = tlsmem_session_get(tls->c);
    tlsmem_session_free(session);
    return session != NULL;
}

/* Early data is there, and may be answered before the handshake is done. */
static bool is_early(struct tls *tls)
{
    char none;
    return tls->flags->server && !tlsmem_is_established(tls->c) && tlsmem_read_early(tls->c, &none, 0) == 0;
}

bool tls_handshake(struct tls *tls)
{
    int status;
    while (!is_early(tls) && (status = tlsmem_handshake(tls->c)) != TLSMEM_OK)
        if (status != TLSMEM_AGAIN || !turn(tls))
            return false;
    return send_all(tls);
}

ptrdiff_t tls_read(struct tls *tls, void *bytes, size_t n)
{
    for (;;) {
        ptrdiff_t got = is_early(tls) ? tlsmem_read_early(tls->c, bytes, n) : tlsmem_read(tls->c, bytes, n);
        if (got >= 0)
            return got;
        if (got == TLSMEM_CLOSED || got == TLSMEM_ETRUNCATED)
            return 0;
        if (got != TLSMEM_AGAIN || !turn(tls))
            return -1;
    }
}

ptrdiff_t tls_peek(struct tls *tls, void *bytes, size_t n)
{
    const void *shown;
    size_t there;
    int status;
    while ((status = tlsmem_read_peek(tls->c, &shown, &there)) == TLSMEM_AGAIN)
        if (!turn(tls))
            return -1;
    if (status != TLSMEM_OK)
        return status == TLSMEM_CLOSED || status == TLSMEM_ETRUNCATED ? 0 : -1;
    if (there < n)
        n = there;
    memcpy(bytes, shown, n);
    return (ptrdiff_t)n;
}

/* Returns how much went as early data, which a client may send when nothing else has begun. */
static size_t written_early(struct tls *tls, const void *bytes, size_t n)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    if (tls->flags->server || !tls->flags->enable_early_data || tlsmem_want(tls->c, &want) != TLSMEM_OK ||
        want.state != TLSMEM_STATE_NEW)
        return 0;
    ptrdiff_t taken = tlsmem_write_early(tls->c, bytes, n);
    return taken > 0 ? (size_t)taken : 0;
}

bool tls_write(struct tls *tls, const void *bytes, size_t n)
{
    size_t done = written_early(tls, bytes, n);
    while (done < n) {
        ptrdiff_t taken = tlsmem_write(tls->c, (const char *)bytes + done, n - done);
        if (taken < 0 && (taken != TLSMEM_AGAIN || !turn(tls)))
            return false;
        done += taken > 0 ? (size_t)taken : 0;
    }
    return send_all(tls);
}

bool tls_key_update(struct tls *tls)
{
    return tlsmem_key_update(tls->c, 0) == TLSMEM_OK;
}

bool tls_close(struct tls *tls)
{
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_close(tls->c);
    while (tlsmem_report(tls->c, &report) == TLSMEM_OK && !report.close_notify_received && turn(tls))
        ;
    return send_all(tls) && report.close_notify_received;
}

void tls_end(struct tls *tls, bool good)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    int version = tlsmem_protocol(tls->c);
    if (tls->comes_back && !tlsmem_is_resumed(tls->c) && tls->flags->async && tls->flags->server && version < TLSMEM_TLS1_2)
        unimplemented("a store for sessions older than TLS 1.2"); /* libtlsmem takes none of them out of it */
    send_all(tls);
    if (!good && tlsmem_error(tls->c, &error) == TLSMEM_OK)
        fprintf(stderr, "%s: %s (sent %d, received %d)\n", tlsmem_status_name(error.status), error.sentence, error.alert_sent,
                error.alert_received);
    tlsmem_take_fd(tls->c);
}
