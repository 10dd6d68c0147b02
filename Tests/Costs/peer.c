#include "peer.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

SSL_CTX *peer_context(tlsmem_role role, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    MUST(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, version) && SSL_CTX_set_max_proto_version(ctx, version));
    if (role == TLSMEM_SERVER)
        MUST(SSL_CTX_use_certificate_chain_file(ctx, certificate("server.pem")) == 1
             && SSL_CTX_use_PrivateKey_file(ctx, certificate("server.key"), SSL_FILETYPE_PEM) == 1);
    return ctx;
}

peer peer_new(SSL_CTX *ctx, tlsmem_role role, int fd)
{
    peer p = { SSL_new(ctx), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()), fd };
    MUST(p.ssl != NULL && p.incoming != NULL && p.outgoing != NULL);
    SSL_set_bio(p.ssl, p.incoming, p.outgoing);
    if (role == TLSMEM_SERVER)
        SSL_set_accept_state(p.ssl);
    else
        SSL_set_connect_state(p.ssl);
    return p;
}

void peer_free(peer *p)
{
    SSL_free(p->ssl);
    if (p->fd >= 0)
        close(p->fd);
}

int peer_handshakes(peer *p)
{
    int result = SSL_do_handshake(p->ssl);
    MUST(result == 1 || SSL_get_error(p->ssl, result) == SSL_ERROR_WANT_READ);
    return result == 1;
}

size_t peer_says(peer *p, void *bytes, size_t most)
{
    int n = BIO_read(p->outgoing, bytes, (int)most);
    return n > 0 ? (size_t)n : 0;
}

void peer_hears(peer *p, const void *bytes, size_t n)
{
    MUST(BIO_write(p->incoming, bytes, (int)n) == (int)n);
}

size_t peer_reads(peer *p)
{
    static unsigned char bytes[16384];
    size_t total = 0;
    int n;
    while ((n = SSL_read(p->ssl, bytes, sizeof bytes)) > 0)
        total += (size_t)n;
    MUST(SSL_get_error(p->ssl, n) == SSL_ERROR_WANT_READ);
    return total;
}

size_t peer_sends(const peer *p, const void *bytes, size_t n)
{
    struct iovec part = { (void *)bytes, n };
    ssize_t taken = writev(p->fd, &part, 1);
    MUST(taken > 0 || (errno == EAGAIN && taken < 0));
    return taken > 0 ? (size_t)taken : 0;
}

static unsigned char wire[262144];

static size_t come(const peer *p)
{
    struct iovec part = { wire, sizeof wire };
    ssize_t n = readv(p->fd, &part, 1);
    MUST(n >= 0 || errno == EAGAIN);
    return n > 0 ? (size_t)n : 0;
}

size_t peer_drops(const peer *p)
{
    size_t n, total = 0;
    while ((n = come(p)) > 0)
        total += n;
    return total;
}

int peer_moves(peer *p)
{
    int moved = 0;
    size_t n;
    while ((n = peer_says(p, wire, sizeof wire)) > 0) {
        MUST(peer_sends(p, wire, n) == n);
        moved = 1;
    }
    while ((n = come(p)) > 0) {
        peer_hears(p, wire, n);
        moved = 1;
    }
    return moved;
}

records peer_makes(peer *p, long count, size_t plaintext)
{
    static unsigned char bytes[16384];
    for (long i = 0; i < count; i++)
        MUST(SSL_write(p->ssl, bytes, (int)plaintext) == (int)plaintext);
    size_t all = BIO_ctrl_pending(p->outgoing);
    records made = { malloc(all), all / (size_t)count, count };
    MUST(made.bytes != NULL && all % (size_t)count == 0 && peer_says(p, made.bytes, all) == all);
    return made;
}
