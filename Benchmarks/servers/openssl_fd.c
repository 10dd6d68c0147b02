/*
 * openssl_fd.c - OpenSSL on the socket itself: SSL_set_fd, with or without --read-ahead.
 *
 * It does not read until the socket is empty: SSL_has_pending says whether OpenSSL holds more, and what the kernel holds
 * epoll says again. That saves one read a request.
 */
#include "openssl_common.h"
#include <openssl/err.h>
#include <sys/epoll.h>

static SSL_CTX *ctx;

static uint32_t open_tls(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    t->ssl = SSL_new(ctx);
    SSL_set_fd(t->ssl, conn->fd);
    SSL_set_accept_state(t->ssl);
    return EPOLLIN;
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
        return openssl_download(t);
    if (t->rest.n > 0 && ((wanted = openssl_write_rest(t)) != EPOLLIN || t->rest.n > 0))
        return wanted;
    size_t turn = 0;
    int n;
    do {
        n = SSL_read(t->ssl, bytes, sizeof bytes);
        if (n <= 0)
            return openssl_wants(t->ssl, n);
        struct answer answer = answer_to(&t->matched, bytes, (size_t)n);
        wanted = openssl_write(t, answer.bytes, answer.n);
        turn += (size_t)n;
    } while (wanted == EPOLLIN && t->rest.n == 0
             && ((n == sizeof bytes && turn < READ_BYTES_A_TURN) || SSL_has_pending(t->ssl)));
    return wanted;
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    ctx = openssl_context();
    static const struct face face = { sizeof(struct tls), open_tls, ready, openssl_end };
    return serve(&face);
}
