/*
 * textbook.c - the exchange with the runner over OpenSSL and two memory BIOs, without libtlsmem: what the textbook's program
 * does with each test, so that whatever differs is libtlsmem's to explain.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "textbook.h"

enum { TICKET_KEYS_BYTES = 80 };

struct context {
    SSL_CTX *ctx;
};

struct context *context_new(const struct flags *flags, struct context *before)
{
    unsigned char keys[TICKET_KEYS_BYTES];
    struct context *context = calloc(1, sizeof *context);
    context->ctx = textbook_context(flags);
    if (before != NULL && (SSL_CTX_get_tlsext_ticket_keys(before->ctx, keys, sizeof keys) != 1 ||
                           SSL_CTX_set_tlsext_ticket_keys(context->ctx, keys, sizeof keys) != 1))
        unimplemented("a key for tickets");
    return context;
}

struct tls *tls_new(struct context *context, const struct flags *flags, int fd, struct tls *before)
{
    struct tls *tls = calloc(1, sizeof *tls);
    tls->flags = flags;
    tls->fd = fd;
    tls->ssl = SSL_new(context->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_app_data(tls->ssl, tls);
    if (flags->server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    tls->reading_early = flags->server && flags->enable_early_data;
    if ((flags->host_name == NULL || SSL_set_tlsext_host_name(tls->ssl, flags->host_name) == 1) &&
        (before == NULL || flags->server || SSL_set_session(tls->ssl, before->session) == 1))
        return tls;
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    SSL_SESSION_free(tls->session);
    SSL_free(tls->ssl);
    free(tls);
}

bool tls_has_session(struct tls *tls)
{
    return tls->session != NULL && SSL_SESSION_is_resumable(tls->session);
}

/* Reads a server's early data, which has to be asked for until it says that it is over. Returns whether some waits. */
static bool early_waits(struct tls *tls)
{
    while (tls->reading_early && !tls->failed && tls->early_taken == tls->early_bytes) {
        ERR_clear_error();
        tls->early_taken = 0;
        int said = SSL_read_early_data(tls->ssl, tls->early, sizeof tls->early, &tls->early_bytes);
        if (said == SSL_READ_EARLY_DATA_FINISH)
            tls->reading_early = false;
        if (said == SSL_READ_EARLY_DATA_ERROR && !textbook_again(tls, 0))
            return false;
    }
    return tls->early_taken < tls->early_bytes;
}

bool tls_handshake(struct tls *tls)
{
    int result;
    if (early_waits(tls))
        return textbook_flush(tls);
    if (tls->failed)
        return false;
    do {
        ERR_clear_error();
        result = SSL_do_handshake(tls->ssl);
    } while (result != 1 && textbook_again(tls, result));
    return textbook_flush(tls) && result == 1;
}

static ptrdiff_t take_early(struct tls *tls, void *bytes, size_t n)
{
    size_t there = tls->early_bytes - tls->early_taken;
    if (there < n)
        n = there;
    memcpy(bytes, tls->early + tls->early_taken, n);
    tls->early_taken += n;
    return (ptrdiff_t)n;
}

/* The end of file without close_notify is an end, too. */
static bool is_end(struct tls *tls, int result)
{
    return SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN ||
        ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

static ptrdiff_t take(struct tls *tls, void *bytes, size_t n, int (*call)(SSL *, void *, int))
{
    int result;
    if (early_waits(tls))
        return take_early(tls, bytes, n);
    if (tls->failed || (!SSL_is_init_finished(tls->ssl) && !tls_handshake(tls)))
        return -1;
    do {
        ERR_clear_error();
        result = call(tls->ssl, bytes, (int)n);
        if (result <= 0 && is_end(tls, result))
            return textbook_flush(tls) ? 0 : -1;
    } while (result <= 0 && textbook_again(tls, result));
    return textbook_flush(tls) && result > 0 ? result : -1;
}

ptrdiff_t tls_read(struct tls *tls, void *bytes, size_t n)
{
    return take(tls, bytes, n, SSL_read);
}

ptrdiff_t tls_peek(struct tls *tls, void *bytes, size_t n)
{
    return take(tls, bytes, n, SSL_peek);
}

/* A client before its handshake, with a session that allows it; or a server that was shown some. */
static bool writes_early(struct tls *tls)
{
    if (tls->flags->server)
        return !SSL_is_init_finished(tls->ssl) && SSL_get_early_data_status(tls->ssl) == SSL_EARLY_DATA_ACCEPTED;
    return tls->flags->enable_early_data && SSL_get_state(tls->ssl) == TLS_ST_BEFORE && SSL_get0_session(tls->ssl) != NULL &&
        SSL_SESSION_get_max_early_data(SSL_get0_session(tls->ssl)) > 0;
}

bool tls_write(struct tls *tls, const void *bytes, size_t n)
{
    bool early = writes_early(tls);
    int result = 1;
    for (size_t done = 0, written = 0; done < n; done += written, written = 0) {
        if (!early && !SSL_is_init_finished(tls->ssl) && !tls_handshake(tls))
            return false;
        ERR_clear_error();
        result = early ? SSL_write_early_data(tls->ssl, (const char *)bytes + done, n - done, &written)
                       : SSL_write_ex(tls->ssl, (const char *)bytes + done, n - done, &written);
        if (result != 1 && !textbook_again(tls, result))
            return false;
    }
    return textbook_flush(tls);
}

bool tls_key_update(struct tls *tls)
{
    return SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1;
}

bool tls_close(struct tls *tls)
{
    unsigned char dropped[16384];
    SSL_shutdown(tls->ssl);
    textbook_flush(tls);
    ptrdiff_t n;
    while ((n = tls_read(tls, dropped, sizeof dropped)) > 0)
        ;
    return n == 0 && (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void tls_end(struct tls *tls, bool good)
{
    textbook_flush(tls);
    if (!good)
        ERR_print_errors_fp(stderr);
    else
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* else its session would be dropped */
}
