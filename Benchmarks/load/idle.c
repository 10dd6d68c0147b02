/* idle.c - what the server's memory grows by for a connection that has had one request and is idle. */
#define _GNU_SOURCE
#include "load.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Resident bytes of the servers named by --pid. */
static double resident(void)
{
    double sum = 0;
    char *next, path[64];
    for (const char *at = options.pids; at != NULL && *at != '\0'; at = *next == ',' ? next + 1 : next) {
        unsigned long size, pages;
        snprintf(path, sizeof path, "/proc/%ld/statm", strtol(at, &next, 10));
        FILE *statm = fopen(path, "r");
        if (statm == NULL || fscanf(statm, "%lu %lu", &size, &pages) != 2)
            fail("%s cannot be read", path);
        fclose(statm);
        sum += (double)pages * (double)sysconf(_SC_PAGESIZE);
    }
    return sum;
}

static void count(void *user, const uint8_t *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)user += n;
}

/* One request and its answer; afterwards the client keeps nothing but the socket. */
static void converse(SSL_CTX *ctx, const uint8_t *request, uint8_t *sealed)
{
    struct wire w;
    size_t answered = 0;
    wire_open(&w, ctx);
    size_t n = options.plain ? options.size : seal(&w.out, request, options.size, sealed);
    if (options.plain)
        sealed = (uint8_t *)(uintptr_t)request;
    for (size_t sent = 0; answered < options.size;) {
        struct pollfd p = { w.fd, (short)(sent < n ? POLLIN | POLLOUT : POLLIN), 0 };
        if (poll(&p, 1, 5000) != 1)
            fail("no answer for 5 seconds");
        if (p.revents & POLLOUT) {
            ssize_t taken = send(w.fd, sealed + sent, n - sent, MSG_NOSIGNAL);
            sent += taken > 0 ? (size_t)taken : 0;
        }
        if ((p.revents & ~POLLOUT) && wire_receive(&w, count, &answered) == 0)
            fail("the server closes");
    }
    free(w.received);
    EVP_CIPHER_CTX_free(w.out.cipher);
    EVP_CIPHER_CTX_free(w.in.cipher);
}

void run_idle(void)
{
    SSL_CTX *ctx = client_context();
    uint8_t *request = calloc(1, options.size), *sealed = malloc(options.size + (options.size / RECORD_PLAIN + 1) * RECORD_EXTRA);
    for (int i = 0; i < 16; i++) /* what is there once for all of them */
        converse(ctx, request, sealed);
    double before = resident();
    struct window window;
    window_begin(&window);
    for (int i = 0; i < options.connections; i++)
        converse(ctx, request, sealed);
    window_end(&window);
    nanosleep(&(struct timespec) { 0, 200000000 }, NULL);
    print("memory per connection", "KB", (resident() - before) / options.connections / 1000);
    print_operations(&window, "connection", options.connections);
}
