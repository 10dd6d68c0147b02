/* stream.c - download and upload; see load.h. */
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CHECKED_BYTES = 1048576 };

static void check(void *user, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 'x')
            fail("a download of something else");
    *(size_t *)user += n;
}

/* The first MiB of each connection is decrypted and looked at; the rest is dropped by the kernel, uncopied, so that the
 * client is not what limits. */
void run_download(void)
{
    int epoll = epoll_create1(0);
    SSL_CTX *ctx = client_context();
    struct wire *all = calloc((size_t)options.connections, sizeof *all);
    for (int i = 0; i < options.connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all[i] };
        size_t seen = 0;
        wire_open(&all[i], ctx);
        while (seen < CHECKED_BYTES)
            if (wire_receive(&all[i], check, &seen) == 0)
                fail("the server closes");
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    struct window window = { 0 };
    struct epoll_event ready[64];
    double begin = now(), until = begin + 0.15 + options.seconds, bytes = 0;
    int measuring = 0;
    for (double t = begin; t < until; t = now()) {
        if (!measuring && t > begin + 0.15) {
            measuring = 1;
            bytes = 0;
            window_begin(&window);
        }
        int count = spin(epoll, ready, 64);
        for (int i = 0; i < count; i++) {
            ssize_t n = recv(((struct wire *)ready[i].data.ptr)->fd, NULL, 4194304, MSG_TRUNC);
            if (n <= 0)
                fail("the server closes");
            bytes += (double)n;
        }
    }
    window_end(&window);
    print_bytes(&window, options.plain ? bytes : bytes * RECORD_PLAIN / (RECORD_PLAIN + RECORD_EXTRA));
}

/* Sealed before the clock runs, so that the client only sends. */
void run_upload(void)
{
    size_t records = (size_t)(options.seconds * 1e9 / (double)options.connections / (double)options.size) + 1;
    size_t extra = (options.size / RECORD_PLAIN + 1) * RECORD_EXTRA, total = 0;
    SSL_CTX *ctx = client_context();
    struct wire *all = calloc((size_t)options.connections, sizeof *all);
    struct { uint8_t *bytes; size_t n, at; } *sealed = calloc((size_t)options.connections, sizeof *sealed);
    uint8_t *text = calloc(1, options.size);
    for (int i = 0; i < options.connections; i++) {
        wire_open(&all[i], ctx);
        sealed[i].bytes = malloc(records * (options.size + extra));
        for (size_t k = 0; k < records; k++) {
            uint8_t *place = sealed[i].bytes + sealed[i].n;
            if (options.plain)
                memcpy(place, text, options.size);
            sealed[i].n += options.plain ? options.size : seal(&all[i].out, text, options.size, place);
            total += options.size;
        }
    }
    int epoll = epoll_create1(0), left = options.connections;
    for (int i = 0; i < options.connections; i++) {
        struct epoll_event event = { .events = EPOLLOUT, .data.u32 = (uint32_t)i };
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    struct window window;
    window_begin(&window);
    while (left > 0) {
        struct epoll_event ready[64];
        int count = spin(epoll, ready, 64);
        for (int k = 0; k < count; k++) {
            uint32_t i = ready[k].data.u32;
            char tickets[4096];
            if (sealed[i].at == sealed[i].n) { /* all is sent: the server reads it, and closes */
                ssize_t n = recv(all[i].fd, tickets, sizeof tickets, 0);
                if (n > 0 || (n < 0 && errno == EAGAIN))
                    continue;
                epoll_ctl(epoll, EPOLL_CTL_DEL, all[i].fd, NULL);
                left--;
                continue;
            }
            ssize_t n = send(all[i].fd, sealed[i].bytes + sealed[i].at, sealed[i].n - sealed[i].at, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN)
                fail("the server is gone");
            sealed[i].at += n > 0 ? (size_t)n : 0;
            if (sealed[i].at == sealed[i].n) {
                struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
                shutdown(all[i].fd, SHUT_WR);
                epoll_ctl(epoll, EPOLL_CTL_MOD, all[i].fd, &event);
            }
        }
    }
    window_end(&window);
    print_bytes(&window, (double)total);
}
