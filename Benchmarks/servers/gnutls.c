/* gnutls.c - GnuTLS on the socket, in the epoll loop that the other servers have. Tickets are asked for, as many as it sends by itself. */
#include "common.h"
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct tls {
    struct conn conn;
    gnutls_session_t session;
    struct rest rest; /* plaintext that could not be written */
    size_t at;        /* in the block of a download */
    unsigned matched;
    int open;
};
static gnutls_certificate_credentials_t credentials;
static gnutls_priority_t priority;
static gnutls_datum_t ticket_key;

static uint32_t open_tls(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    gnutls_priority_set(t->session, priority);
    gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_session_ticket_enable_server(t->session, &ticket_key);
    gnutls_transport_set_int(t->session, conn->fd);
    return EPOLLIN;
}

/* The events that it waits for after a call that returned r, or 0 when the connection has ended. */
static uint32_t wants(struct tls *t, ssize_t r)
{
    if (r != GNUTLS_E_AGAIN && r != GNUTLS_E_INTERRUPTED)
        return 0;
    return gnutls_record_get_direction(t->session) ? EPOLLOUT : EPOLLIN;
}

/* GnuTLS wants a record that it could not send to be asked for again, with the same length. */
static uint32_t write_all(struct tls *t, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = gnutls_record_send(t->session, bytes, n);
        if (written < 0) {
            keep(&t->rest, bytes, n);
            return wants(t, written);
        }
        bytes += written;
        n -= (size_t)written;
    }
    return EPOLLIN;
}

static uint32_t write_rest(struct tls *t)
{
    while (t->rest.n > 0) {
        ssize_t written = gnutls_record_send(t->session, t->rest.bytes + t->rest.at, t->rest.n);
        if (written < 0)
            return wants(t, written);
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
        ssize_t written = gnutls_record_send(t->session, block + t->at, options.size - t->at);
        if (written < 0)
            return wants(t, written);
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
    if (!t->open) {
        int r = gnutls_handshake(t->session);
        if (r < 0)
            return gnutls_error_is_fatal(r) ? 0 : wants(t, r);
        t->open = 1;
    }
    if (options.work == WORK_DOWNLOAD)
        return download(t);
    if (t->rest.n > 0 && (wanted = write_rest(t)) != EPOLLIN)
        return wanted;
    size_t turn = 0;
    ssize_t n;
    do {
        n = gnutls_record_recv(t->session, bytes, sizeof bytes);
        if (n <= 0)
            return wants(t, n);
        struct answer answer = answer_to(&t->matched, bytes, (size_t)n);
        wanted = write_all(t, answer.bytes, answer.n);
        turn += (size_t)n;
    } while (wanted == EPOLLIN && t->rest.n == 0 && n == sizeof bytes && turn < READ_BYTES_A_TURN);
    return wanted;
}

static void end(struct conn *conn)
{
    struct tls *t = (struct tls *)conn;
    gnutls_deinit(t->session);
    free(t->rest.bytes);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    gnutls_certificate_allocate_credentials(&credentials);
    if (gnutls_certificate_set_x509_key_file(credentials, options.cert, options.key, GNUTLS_X509_FMT_PEM) < 0
        || gnutls_priority_init(&priority, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM", NULL) < 0
        || gnutls_session_ticket_key_generate(&ticket_key) < 0)
        fail("--cert or --key is not usable");
    static const struct face face = { sizeof(struct tls), open_tls, ready, end };
    return serve(&face);
}
