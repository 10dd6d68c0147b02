/* libevent_before.c - libevent's bufferevent over OpenSSL (bufferevent_openssl_socket_new). */
#include "client.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>

/* manual: ask */
static int code = 1;

static void on_read(struct bufferevent *b, void *base)
{
    char text[4096];
    SSL *ssl = bufferevent_openssl_get_ssl(b);
    int n = bufferevent_read(b, text, sizeof text);
    if (n <= 0 || !heard(text, n))
        return;
    /* As if the peer had closed: it is not waited for. Freeing b sends
       no close_notify. */
    SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
    code = SSL_shutdown(ssl) != 1;
    event_base_loopbreak(base);
}

static void on_event(struct bufferevent *b, short what, void *base)
{
    unsigned long error = bufferevent_get_openssl_error(b);
    if (what & BEV_EVENT_CONNECTED)
        return;
    if (error != 0)
        fprintf(stderr, "%s\n", ERR_reason_error_string(error));
    event_base_loopbreak(base); /* an error, or the peer's end */
}

int ask(const char *host, const char *port, const char *authorities)
{
    struct event_base *base = event_base_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL *ssl = SSL_new(ctx);
    signal(SIGPIPE, SIG_IGN);
    if (SSL_CTX_load_verify_file(ctx, authorities)
        && SSL_set1_host(ssl, host)
        && SSL_set_tlsext_host_name(ssl, host)) {
        struct bufferevent *b = bufferevent_openssl_socket_new(base,
            dial(host, port), ssl, BUFFEREVENT_SSL_CONNECTING,
            BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        struct timeval patience = { 10, 0 };
        bufferevent_setcb(b, on_read, NULL, on_event, base);
        bufferevent_set_timeouts(b, &patience, &patience);
        bufferevent_enable(b, EV_READ | EV_WRITE);
        bufferevent_write(b, "hello\n", 6);
        event_base_dispatch(base);
        bufferevent_free(b); /* and ssl */
    }
    SSL_CTX_free(ctx);
    event_base_free(base);
    return code;
}
/* end of ask */
