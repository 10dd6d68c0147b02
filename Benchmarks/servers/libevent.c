/* libevent.c - libevent's bufferevent_openssl. An echo moves the buffers, without a copy. */
#include "openssl_common.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

static SSL_CTX *ctx;

static void on_read(struct bufferevent *b, void *matched)
{
    struct evbuffer *in = bufferevent_get_input(b);
    if (options.work == WORK_ECHO) {
        bufferevent_write_buffer(b, in);
        return;
    }
    if (options.work == WORK_HTTP) {
        size_t n = evbuffer_get_length(in);
        struct answer answer = answer_to(matched, (const char *)evbuffer_pullup(in, -1), n);
        bufferevent_write(b, answer.bytes, answer.n);
    }
    evbuffer_drain(in, evbuffer_get_length(in));
}

/* The output has been written. */
static void on_write(struct bufferevent *b, void *matched)
{
    (void)matched;
    if (options.work == WORK_DOWNLOAD)
        evbuffer_add_reference(bufferevent_get_output(b), block, options.size, NULL, NULL);
}

static void on_event(struct bufferevent *b, short what, void *matched)
{
    if (what & BEV_EVENT_CONNECTED) {
        on_write(b, matched);
        return;
    }
    bufferevent_free(b);
    free(matched);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int n, void *user)
{
    struct event_base *base = evconnlistener_get_base(listener);
    int one = 1;
    (void)peer, (void)n, (void)user;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct bufferevent *b =
        bufferevent_openssl_socket_new(base, fd, SSL_new(ctx), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(b, on_read, on_write, on_event, calloc(1, sizeof(unsigned)));
    bufferevent_enable(b, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    ctx = openssl_context();
    struct event_base *base = event_base_new();
    struct evconnlistener *listener =
        evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 0, listening());
    if (listener == NULL)
        fail("libevent does not listen");
    say_listening(options.port);
    return event_base_dispatch(base);
}
