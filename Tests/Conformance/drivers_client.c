/* drivers_client.c - a client of raw OpenSSL over memory BIOs, which checks its echo; see drivers.h. */
#define _GNU_SOURCE
#include "drivers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 20000, AHEAD = 1 << 16 }; /* written at once at most; ciphertext that may wait for the socket */

client *client_new(const server *s, int version)
{
    static SSL_CTX *context;
    static uint32_t streams;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port) };
    client *c = calloc(1, sizeof *c);
    int on = 1;
    if (context == NULL) {
        context = SSL_CTX_new(TLS_client_method());
        MUST(SSL_CTX_load_verify_locations(context, certificate("ca.pem"), NULL) == 1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->stream = ++streams;
    c->random.state = 77 + streams;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(c->fd >= 0);
    MUST(connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->ssl = SSL_new(context);
    c->incoming = BIO_new(BIO_s_mem());
    c->outgoing = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(c->incoming, -1);
    SSL_set_bio(c->ssl, c->incoming, c->outgoing);
    SSL_set_connect_state(c->ssl);
    SSL_set_tlsext_host_name(c->ssl, "localhost");
    SSL_set1_host(c->ssl, "localhost");
    SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (version != 0) {
        SSL_set_min_proto_version(c->ssl, version);
        SSL_set_max_proto_version(c->ssl, version);
    }
    return c;
}

void client_free(client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    free(c);
}

void client_reset(client *c)
{
    struct linger at_once = { 1, 0 };
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    client_free(c);
}

/* Notes what OpenSSL has to say of a call that did not succeed. */
static void note(client *c, int result)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: break;
    case SSL_ERROR_ZERO_RETURN: c->peer_closed = 1; break;
    default: c->reason = ERR_GET_REASON(ERR_peek_error()) != 0 ? ERR_GET_REASON(ERR_peek_error()) : -1;
    }
}

static int receive(client *c)
{
    static char bytes[1 << 16];
    int moved = 0;
    for (ssize_t n; !c->deaf && !c->eof && !c->reset && BIO_pending(c->incoming) < AHEAD;) {
        n = recv(c->fd, bytes, sizeof bytes, 0);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
            break;
        if (n > 0)
            BIO_write(c->incoming, bytes, (int)n);
        c->eof = n == 0;
        c->reset = n < 0;
        moved = 1;
    }
    return moved;
}

static int read_plaintext(client *c)
{
    static unsigned char bytes[1 << 15];
    int moved = 0, n;
    while (c->reason == 0 && !c->peer_closed) {
        ERR_clear_error();
        n = SSL_read(c->ssl, bytes, sizeof bytes);
        if (n <= 0) {
            note(c, n);
            break;
        }
        if (c->got + (uint64_t)n > c->sent || pattern_differs(bytes, c->stream, c->got, (size_t)n) != (size_t)n)
            c->changed = 1;
        c->got += (uint64_t)n;
        moved = 1;
    }
    return moved;
}

static int write_plaintext(client *c)
{
    static unsigned char bytes[PIECE];
    int moved = 0, n;
    while (c->reason == 0 && c->sent < c->want && BIO_pending(c->outgoing) < AHEAD) {
        size_t most = c->want - c->sent < PIECE ? (size_t)(c->want - c->sent) : PIECE;
        size_t size = c->cut == WHOLE ? most : seeded_size(&c->random, most);
        pattern_fill(bytes, c->stream, c->sent, size);
        ERR_clear_error();
        n = SSL_write(c->ssl, bytes, (int)size);
        if (n <= 0) {
            note(c, n);
            break;
        }
        if (c->update_every != 0 && (c->sent + (uint64_t)n) / c->update_every > c->sent / c->update_every)
            SSL_key_update(c->ssl, c->updates++ % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        c->sent += (uint64_t)n;
        moved = 1;
    }
    if (c->closes && !c->closed && c->reason == 0 && c->sent == c->want && SSL_is_init_finished(c->ssl)) {
        SSL_shutdown(c->ssl);
        c->closed = moved = 1;
    }
    return moved;
}

static int send_ciphertext(client *c)
{
    char *bytes;
    int moved = 0;
    for (long waiting; (waiting = BIO_get_mem_data(c->outgoing, &bytes)) > 0;) {
        size_t size = c->cut == WHOLE ? (size_t)waiting : c->cut == BYTEWISE ? 1 : seeded_size(&c->random, (size_t)waiting);
        ssize_t n = send(c->fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        for (char dropped[4096]; n > 0;) /* by reading: OpenSSL has no other way to drop what was sent */
            n -= BIO_read(c->outgoing, dropped, n < (ssize_t)sizeof dropped ? (int)n : (int)sizeof dropped);
        moved = 1;
        if (c->cut == AT_RANDOM && seeded_next(&c->random) % 4 == 0)
            break; /* the rest comes a turn later */
    }
    return moved;
}

int client_turn(client *c)
{
    int moved = receive(c), n;
    if (c->reason == 0 && !SSL_is_init_finished(c->ssl)) {
        ERR_clear_error();
        n = SSL_do_handshake(c->ssl);
        if (n <= 0)
            note(c, n);
    }
    if (SSL_is_init_finished(c->ssl) || c->reason == 0) {
        moved |= write_plaintext(c);
        moved |= read_plaintext(c);
    }
    return send_ciphertext(c) | moved;
}

int clients_wait(client **clients, size_t count, int ms)
{
    struct pollfd polled[128];
    MUST(count <= 128);
    for (size_t i = 0; i < count; i++) {
        client *c = clients[i];
        int hears = !c->deaf && !c->eof && !c->reset;
        polled[i] = (struct pollfd) { hears || BIO_pending(c->outgoing) > 0 ? c->fd : -1,
                                      (short)((hears ? POLLIN : 0) | (BIO_pending(c->outgoing) > 0 ? POLLOUT : 0)), 0 };
    }
    return poll(polled, count, ms) > 0;
}

int is_echoed(const client *c) { return c->sent == c->want && c->got == c->want && SSL_is_init_finished(c->ssl); }
int is_closed(const client *c) { return c->peer_closed && c->eof; }
int has_ended(const client *c) { return c->eof || c->reset || c->reason != 0; }

int until(int (*is_so)(const client *c), client **clients, size_t count)
{
    for (;;) {
        size_t missing = 0;
        int moved = 0;
        for (size_t i = 0; i < count; i++) {
            client *c = clients[i];
            if (is_so(c))
                continue;
            missing++;
            moved |= client_turn(c);
            if (!is_so(c) && (c->changed || (has_ended(c) && !moved)))
                return fails(0, "client %zu: %llu sent, %llu back%s%s%s, reason %d", i, (unsigned long long)c->sent,
                             (unsigned long long)c->got, c->changed ? ", changed" : "", c->eof ? ", FIN" : "",
                             c->reset ? ", RST" : "", c->reason);
        }
        if (missing == 0)
            return 1;
        if (!moved && !clients_wait(clients, count, LIMIT_MS))
            return fails(0, "nothing moves: %zu of %zu wait, the first with %llu sent and %llu back", missing, count,
                         (unsigned long long)clients[0]->sent, (unsigned long long)clients[0]->got);
    }
}

int until_one(int (*is_so)(const client *c), client *c)
{
    return until(is_so, &c, 1);
}
