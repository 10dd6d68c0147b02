/* echo.c - requests and answers on many connections, one request at a time on each: echo and HTTP; see load.h. */
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct asker {
    struct wire wire;
    uint8_t *sealed; /* the request on its way */
    size_t sent, sealed_n, answered;
    int knows; /* it has had an answer: the first one may bring tickets */
    double asked;
};

static uint8_t *request;
static size_t request_n, answer_n; /* answer_n is 0 until the first HTTP response has come */
static int is_http;
static uint64_t answers;
static int knowing;
static double *latencies;
static size_t latencies_n, latencies_most;

static void send_more(struct asker *a)
{
    while (a->sent < a->sealed_n) {
        ssize_t n = send(a->wire.fd, a->sealed + a->sent, a->sealed_n - a->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return; /* it goes on when answers have come: the server reads while it writes */
        if (n < 0)
            fail("the server is gone");
        a->sent += (size_t)n;
    }
}

static void ask(struct asker *a)
{
    a->answered = a->sent = 0;
    a->sealed_n = request_n;
    if (options.plain)
        memcpy(a->sealed, request, request_n);
    else
        a->sealed_n = seal(&a->wire.out, request, request_n, a->sealed);
    if (latencies != NULL)
        a->asked = now();
    send_more(a);
}

/* The first response says how long all of them are. */
static void learn(const uint8_t *bytes, size_t n)
{
    static uint8_t seen[4096];
    static size_t seen_n;
    if (seen_n + n >= sizeof seen)
        fail("a response of more than %zu bytes", sizeof seen);
    memcpy(seen + seen_n, bytes, n);
    seen_n += n;
    const char *text = (const char *)seen, *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
    if (body == NULL)
        return;
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || length == NULL)
        fail("no response with a length: %.40s", text);
    answer_n = (size_t)(body + 4 - text) + strtoul(length + 17, NULL, 10);
}

static void take(void *user, const uint8_t *bytes, size_t n)
{
    struct asker *a = user;
    if (answer_n == 0)
        learn(bytes, n);
    if (!is_http && (a->answered + n > request_n || memcmp(bytes, request + a->answered, n) != 0))
        fail("an echo of something else");
    a->answered += n;
    if (answer_n == 0 || a->answered < answer_n)
        return;
    answers++;
    knowing += !a->knows;
    a->knows = 1;
    if (latencies != NULL && latencies_n < latencies_most)
        latencies[latencies_n++] = now() - a->asked;
    ask(a);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_latencies(void)
{
    qsort(latencies, latencies_n, sizeof *latencies, ascending);
    print("latency p50", "us", 1e6 * latencies[latencies_n / 2]);
    print("latency p99", "us", 1e6 * latencies[latencies_n * 99 / 100]);
}

/* Until the time is over, or so many answers have come. */
static void turn(int epoll, double until, uint64_t most)
{
    struct epoll_event ready[256];
    uint64_t before = answers;
    while (most > 0 ? answers - before < most : now() < until) {
        int count = spin(epoll, ready, 256);
        for (int i = 0; i < count; i++) {
            struct asker *a = ready[i].data.ptr;
            if (wire_receive(&a->wire, take, a) == 0)
                fail("the server closes");
            send_more(a);
        }
    }
}

void run_echo(int http)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int epoll = epoll_create1(0);
    SSL_CTX *ctx = client_context();
    struct asker *all = calloc((size_t)options.connections, sizeof *all);
    is_http = http;
    request_n = http ? sizeof get - 1 : options.size;
    answer_n = http ? 0 : options.size;
    request = malloc(request_n);
    for (size_t i = 0; i < request_n; i++)
        request[i] = http ? (uint8_t)get[i] : (uint8_t)(i * 31 + i / 251);
    for (int i = 0; i < options.connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all[i] };
        wire_open(&all[i].wire, ctx);
        all[i].sealed = malloc(request_n + (request_n / RECORD_PLAIN + 1) * RECORD_EXTRA);
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].wire.fd, &event);
    }
    for (int i = 0; i < options.connections; i++) {
        ask(&all[i]);
        if (http && answer_n == 0) /* the first one, alone, shows how long an answer is */
            while (answer_n == 0)
                turn(epoll, 0, 1);
    }
    do
        turn(epoll, now() + 0.15, 0);
    while (knowing < options.connections);
    if (options.connections == 1)
        latencies = malloc(sizeof *latencies * (latencies_most = 10000000));
    struct window window;
    uint64_t before = answers;
    window_begin(&window);
    turn(epoll, now() + options.seconds, options.requests);
    window_end(&window);
    print_operations(&window, http ? "response" : "echo", (double)(answers - before));
    if (latencies != NULL)
        print_latencies();
}
