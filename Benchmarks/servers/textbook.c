/*
 * textbook.c - OpenSSL over memory BIOs, the way it is explained everywhere: a pair of BIO_s_mem for each connection,
 * recv into a buffer, BIO_write, SSL_read, SSL_write, BIO_read into a buffer, send.
 */
#include "openssl_common.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { WIRE_BYTES = 16384 };

struct pair {
    struct conn conn;
    SSL *ssl;
    BIO *incoming, *outgoing; /* owned by ssl */
    struct rest rest;         /* ciphertext that the socket did not take */
    unsigned matched;
};
static SSL_CTX *ctx;

static uint32_t open_tls(struct conn *conn)
{
    struct pair *t = (struct pair *)conn;
    t->ssl = SSL_new(ctx);
    t->incoming = BIO_new(BIO_s_mem());
    t->outgoing = BIO_new(BIO_s_mem());
    SSL_set_bio(t->ssl, t->incoming, t->outgoing);
    SSL_set_accept_state(t->ssl);
    return EPOLLIN;
}

/* Sends what OpenSSL has made, until the socket takes no more. Returns 0, or -1 when the connection is gone. */
static int flush(struct pair *t)
{
    char wire[WIRE_BYTES];
    int n;
    if (send_rest(t->conn.fd, &t->rest) != 0)
        return -1;
    while (t->rest.n == 0 && (n = BIO_read(t->outgoing, wire, sizeof wire)) > 0)
        if (send_or_keep(t->conn.fd, &t->rest, wire, (size_t)n) != 0)
            return -1;
    return 0;
}

static uint32_t download(struct pair *t)
{
    for (size_t sent = 0; t->rest.n == 0 && sent < WRITE_BYTES_A_TURN; sent += options.size) {
        for (size_t at = 0; at < options.size;) {
            int written = SSL_write(t->ssl, block + at, (int)(options.size - at));
            if (written <= 0)
                return 0;
            at += (size_t)written;
        }
        if (flush(t) != 0)
            return 0;
    }
    return EPOLLOUT;
}

/* Decrypts and answers all that there is. Returns whether it goes on. */
static int drive(struct pair *t)
{
    char bytes[READ_BYTES];
    int n;
    if (!SSL_is_init_finished(t->ssl) && (n = SSL_accept(t->ssl)) != 1)
        return openssl_wants(t->ssl, n) != 0;
    while ((n = SSL_read(t->ssl, bytes, sizeof bytes)) > 0) {
        struct answer answer = answer_to(&t->matched, bytes, (size_t)n);
        for (int written; answer.n > 0; answer.bytes += written, answer.n -= (size_t)written)
            if ((written = SSL_write(t->ssl, answer.bytes, (int)answer.n)) <= 0)
                return 0;
    }
    return openssl_wants(t->ssl, n) != 0;
}

static uint32_t ready(struct conn *conn, uint32_t events)
{
    struct pair *t = (struct pair *)conn;
    int goes_on = 1;
    ERR_clear_error();
    if (events & ~(uint32_t)EPOLLOUT) {
        char wire[WIRE_BYTES];
        ssize_t n = recv(conn->fd, wire, sizeof wire, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 0;
        if (n > 0) {
            BIO_write(t->incoming, wire, (int)n);
            goes_on = drive(t);
        }
    }
    if (flush(t) != 0 || !goes_on)
        return 0;
    if (t->rest.n > 0)
        return EPOLLOUT;
    return options.work == WORK_DOWNLOAD && SSL_is_init_finished(t->ssl) ? download(t) : EPOLLIN;
}

static void end(struct conn *conn)
{
    struct pair *t = (struct pair *)conn;
    SSL_free(t->ssl);
    free(t->rest.bytes);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    ctx = openssl_context();
    static const struct face face = { sizeof(struct pair), open_tls, ready, end };
    return serve(&face);
}
