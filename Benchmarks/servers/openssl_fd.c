/*
 * openssl_fd.c - OpenSSL on the socket itself: SSL_set_fd, with or without --read-ahead.
 *
 * It does not read until the socket is empty: SSL_has_pending says whether OpenSSL holds more, and what the kernel holds
 * epoll says again. That saves one read a request.
 */
#include "common.h"
#include "openssl_common.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct tls {
    struct conn conn;
    SSL *ssl;
    struct rest rest; /* plaintext that could not be written */
    size_t at;        /* in the block of a download */
    unsigned matched;
};
static SSL_CTX *ctx;

static uint32_t open_tls(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    t->ssl = SSL_new(ctx);
    SSL_set_fd(t->ssl, conn->fd);
    SSL_set_accept_state(t->ssl);
    return EPOLLIN;
}

/* Returns EPOLLIN when all was written, or what it waits for; what is left is kept. */
static uint32_t write_all(struct tls *t, const char *bytes, size_t n)
{
    while (n > 0) {
        int written = SSL_write(t->ssl, bytes, (int)n);
        if (written <= 0) {
            keep(&t->rest, bytes, n);
            return openssl_wants(t->ssl, written);
        }
        bytes += written;
        n -= (size_t)written;
    }
    return EPOLLIN;
}

static uint32_t write_rest(struct tls *t)
{
    while (t->rest.n > 0) {
        int written = SSL_write(t->ssl, t->rest.bytes + t->rest.at, (int)t->rest.n);
        if (written <= 0)
            return openssl_wants(t->ssl, written);
        t->rest.at += (size_t)written;
        t->rest.n -= (size_t)written;
    }
    free(t->rest.bytes);
    t->rest = (struct rest) { 0 };
    return EPOLLIN;
}

static uint32_t download(struct tls *t)
{
    for (size_t sent = 0; sent < WRITE_BYTES_A_TURN;) {
        int written = SSL_write(t->ssl, block + t->at, (int)(options.size - t->at));
        if (written <= 0)
            return openssl_wants(t->ssl, written);
        t->at = (t->at + (size_t)written) % options.size;
        sent += (size_t)written;
    }
    return EPOLLOUT;
}

static uint32_t ready(struct conn *conn, uint32_t events)
{
    static __thread char bytes[READ_BYTES];
    struct tls *t = (struct tls *)conn;
    uint32_t wanted = EPOLLIN;
    (void)events;
    ERR_clear_error();
    if (!SSL_is_init_finished(t->ssl)) {
        int r = SSL_accept(t->ssl);
        if (r != 1)
            return openssl_wants(t->ssl, r);
    }
    if (options.work == WORK_DOWNLOAD)
        return download(t);
    if (t->rest.n > 0 && ((wanted = write_rest(t)) != EPOLLIN || t->rest.n > 0))
        return wanted;
    size_t turn = 0;
    int n;
    do {
        n = SSL_read(t->ssl, bytes, sizeof bytes);
        if (n <= 0)
            return openssl_wants(t->ssl, n);
        struct answer answer = answer_to(&t->matched, bytes, (size_t)n);
        wanted = write_all(t, answer.bytes, answer.n);
        turn += (size_t)n;
    } while (wanted == EPOLLIN && t->rest.n == 0
             && ((n == sizeof bytes && turn < READ_BYTES_A_TURN) || SSL_has_pending(t->ssl)));
    return wanted;
}

static void end(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    SSL_free(t->ssl);
    free(t->rest.bytes);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    ctx = openssl_context();
    static const struct face face = { sizeof(struct tls), open_tls, ready, end };
    return serve(&face);
}
