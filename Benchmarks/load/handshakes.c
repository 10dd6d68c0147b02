/* handshakes.c - new connections, one after the other in a few places: handshake, one request, its answer, close. */
#include "load.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 4, TICKETS_MOST = 64 };

struct place {
    int fd, asked;
    size_t answered;
    SSL *ssl;
};

/* TLS 1.3's tickets are for one use each: the newest is taken. */
static SSL_SESSION *tickets[TICKETS_MOST];
static int tickets_n, resume;
static uint64_t done, resumed;
static uint8_t request[16384];

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (tickets_n == TICKETS_MOST) {
        SSL_SESSION_free(tickets[0]);
        memmove(tickets, tickets + 1, sizeof *tickets * --tickets_n);
    }
    tickets[tickets_n++] = session;
    return 1;
}

static void begin(struct place *p, SSL_CTX *ctx)
{
    *p = (struct place) { .fd = connected() };
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    p->ssl = SSL_new(ctx);
    SSL_set_fd(p->ssl, p->fd);
    SSL_set_connect_state(p->ssl);
    if (resume && tickets_n > 0) {
        SSL_SESSION *newest = tickets[--tickets_n];
        SSL_set_session(p->ssl, newest);
        SSL_SESSION_free(newest);
    }
}

/* After a call that returned r: fails unless it only waits. */
static void wait_or_fail(const struct place *p, int r)
{
    if (SSL_get_error(p->ssl, r) != SSL_ERROR_WANT_READ)
        fail("a handshake or its request fails: %s", ERR_reason_error_string(ERR_peek_error()));
}

/* Returns 1 when it has begun anew, 0 when it waits. */
static int go_on(struct place *p, SSL_CTX *ctx)
{
    uint8_t answer[16384];
    int n;
    if (!p->asked) {
        if ((n = SSL_connect(p->ssl)) != 1) {
            wait_or_fail(p, n);
            return 0;
        }
        if (SSL_write(p->ssl, request, (int)options.size) != (int)options.size)
            fail("a request is not taken");
        p->asked = 1;
    }
    if ((n = SSL_read(p->ssl, answer, sizeof answer)) <= 0) {
        wait_or_fail(p, n);
        return 0;
    }
    if ((p->answered += (size_t)n) < options.size)
        return 0; /* the rest may be in another record */
    done++;
    resumed += (uint64_t)SSL_session_reused(p->ssl);
    SSL_shutdown(p->ssl); /* says close_notify */
    SSL_free(p->ssl);
    close(p->fd);
    begin(p, ctx);
    return 1;
}

/* Until one of them has an answer, when a server may need this core. */
static void sleep_for(const struct place *places)
{
    struct pollfd waiting[PLACES];
    for (int i = 0; i < PLACES; i++)
        waiting[i] = (struct pollfd) { places[i].fd, POLLIN, 0 };
    if (poll(waiting, PLACES, 5000) <= 0)
        fail("no answer for 5 seconds");
}

void run_handshakes(int resumes)
{
    struct place places[PLACES];
    struct window window;
    SSL_CTX *ctx = client_context();
    if (options.size > sizeof request)
        fail("--size: at most %zu here", sizeof request);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_ticket);
    for (int i = 0; i < PLACES; i++)
        begin(&places[i], ctx);
    resume = resumes;
    double warm = now() + 0.15, until = 0;
    do {
        for (int i = 0; i < PLACES; i++)
            while (go_on(&places[i], ctx))
                ;
        if (options.sleep)
            sleep_for(places);
        if (until == 0 && now() > warm) {
            done = resumed = 0;
            until = now() + options.seconds;
            window_begin(&window);
        }
    } while (until == 0 || now() < until);
    window_end(&window);
    print_operations(&window, "connection", (double)done);
    print("resumed", "%", 100 * (double)resumed / (double)done);
    if (resumes ? resumed < done * 99 / 100 : resumed > 0)
        fail("%llu of %llu connections were resumed", (unsigned long long)resumed, (unsigned long long)done);
}
