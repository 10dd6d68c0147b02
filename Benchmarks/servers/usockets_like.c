/*
 * usockets_like.c - OpenSSL over one pair of BIOs of our own for all connections, the way of uSockets: one recv into the
 * loop's buffer, from which the BIO reads; the BIO writes straight to the socket. No connection owns a buffer of it.
 */
#include "openssl_common.h"
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { WIRE_BYTES = 524288 };

/* What the shared BIOs are about at this moment; one loop. */
static struct {
    char wire[WIRE_BYTES];
    size_t at, n;
    int fd;
} now;
static BIO *incoming, *outgoing;
static SSL_CTX *ctx;

static int read_wire(BIO *bio, char *bytes, int n)
{
    size_t there = now.n - now.at, count = there < (size_t)n ? there : (size_t)n;
    BIO_clear_retry_flags(bio);
    if (count == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(bytes, now.wire + now.at, count);
    now.at += count;
    return (int)count;
}

static int write_wire(BIO *bio, const char *bytes, int n)
{
    ssize_t sent = send(now.fd, bytes, (size_t)n, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void make_bios(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_MEM, "loop");
    BIO_meth_set_create(method, create);
    BIO_meth_set_read(method, read_wire);
    BIO_meth_set_write(method, write_wire);
    BIO_meth_set_ctrl(method, control);
    incoming = BIO_new(method);
    outgoing = BIO_new(method);
}

static uint32_t open_tls(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    t->ssl = SSL_new(ctx);
    BIO_up_ref(incoming);
    BIO_up_ref(outgoing);
    SSL_set_bio(t->ssl, incoming, outgoing);
    SSL_set_accept_state(t->ssl);
    return EPOLLIN;
}

/* Decrypts and answers all that was received. */
static uint32_t drive(struct tls *t)
{
    static char bytes[READ_BYTES];
    uint32_t wanted = EPOLLIN;
    int n;
    if (!SSL_is_init_finished(t->ssl) && (n = SSL_accept(t->ssl)) != 1)
        return openssl_wants(t->ssl, n);
    while ((n = SSL_read(t->ssl, bytes, sizeof bytes)) > 0) {
        struct answer answer = answer_to(&t->matched, bytes, (size_t)n);
        if (t->rest.n > 0)
            fail("more of a client that does not take its answers"); /* none of ours sends before it has its answer */
        wanted = openssl_write(t, answer.bytes, answer.n);
    }
    return openssl_wants(t->ssl, n) == EPOLLIN ? wanted : 0;
}

static uint32_t ready(struct conn *conn, uint32_t events)
{
    struct tls *t = (struct tls *)conn;
    uint32_t wanted = EPOLLIN;
    ERR_clear_error();
    now.fd = conn->fd;
    if (t->rest.n > 0 && (wanted = openssl_write_rest(t)) != EPOLLIN)
        return wanted;
    if (events & ~(uint32_t)EPOLLOUT) {
        ssize_t n = recv(conn->fd, now.wire, sizeof now.wire, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 0;
        now.at = 0;
        now.n = n > 0 ? (size_t)n : 0;
        wanted = drive(t);
    }
    if (wanted == EPOLLIN && options.work == WORK_DOWNLOAD && SSL_is_init_finished(t->ssl))
        return openssl_download(t);
    return wanted;
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    options.read_ahead = 1;
    ctx = openssl_context();
    make_bios();
    static const struct face face = { sizeof(struct tls), open_tls, ready, openssl_end };
    return serve(&face);
}
