/* drivers_ends.c - the cases of drivers.c that are about ends, limits, and what a server does when there is nothing to do. */
#define _GNU_SOURCE
#include "drivers.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define EACH_VERSION(v) for (size_t v = 0; v < sizeof versions / sizeof versions[0]; v++)

static client *echoed(server *s, int version, uint64_t size)
{
    client *c = client_new(s, version);
    c->want = size;
    return until_one(is_echoed, c) ? c : NULL;
}

static int has_closed(const client *c) { return c->closed && BIO_pending(c->outgoing) == 0; }

static int half_close(server *s)
{
    EACH_VERSION(v) {
        client *c = echoed(s, versions[v], 1);
        NEED(c != NULL, "the first byte");
        c->want = 700000;
        c->closes = c->deaf = 1;
        NEED(until_one(has_closed, c), "%llu bytes sent", (unsigned long long)c->sent);
        c->deaf = 0; /* only now that its close_notify has gone does it read its echo */
        NEED(until_one(is_closed, c) && is_echoed(c), "%llu bytes back", (unsigned long long)c->got);
        client_free(c);
    }
    return 1;
}

/* The same with more and more bytes, up to what all buffers on the way hold: with some of these amounts, the server has
   close_notify while a part of what came before it still has no room among the answers. */
static int half_close_when_full(server *s)
{
    enum { FIRST = 1 << 20, STEP = 200000, QUIET_MS = 20 };
    for (uint64_t size = FIRST;; size += STEP) {
        client *c = echoed(s, 0, 1);
        NEED(c != NULL, "the first byte");
        c->want = size;
        c->closes = c->deaf = 1;
        while (!has_closed(c) && (client_turn(c) || clients_wait(&c, 1, 5 * QUIET_MS))) {
        }
        int is_full = !has_closed(c);
        clients_wait(&c, 1, QUIET_MS); /* for nothing: the server is to come to the end of it */
        c->deaf = 0;
        NEED(until_one(is_closed, c) && is_echoed(c), "%llu of %llu bytes back", (unsigned long long)c->got,
             (unsigned long long)size);
        client_free(c);
        if (is_full)
            return 1;
    }
}

static int truncation(server *s)
{
    EACH_VERSION(v) {
        off_t mark = server_mark(s);
        client *c = echoed(s, versions[v], 5000);
        NEED(c != NULL, "before it");
        shutdown(c->fd, SHUT_WR);
        NEED(server_says(s, mark, "close=TLSMEM_ETRUNCATED\n"), "FIN without close_notify");
        client_free(c);
    }
    return 1;
}

static int reset(server *s)
{
    EACH_VERSION(v) {
        off_t mark = server_mark(s);
        client *c = echoed(s, versions[v], 5000);
        NEED(c != NULL, "before it");
        client_reset(c);
        NEED(server_says(s, mark, "close=TLSMEM_ERESET\n"), "RST");
        NEED(server_says(s, mark, "eset"), "RST in words"); /* reset, or Connection reset by peer */
    }
    return 1;
}

static int alert(server *s)
{
    client *c = client_new(s, 0);
    static const char no_tls[] = "GET / HTTP/1.1\r\n\r\n";
    off_t mark = server_mark(s);
    NEED(send(c->fd, no_tls, sizeof no_tls, MSG_NOSIGNAL) == sizeof no_tls, "a request of HTTP");
    NEED(server_says(s, mark, "close=TLSMEM_ENOTTLS\n"), "no TLS");
    client_free(c);
    /* A record that does not decrypt: the alert has to come through although the rest of what was sent is never read. */
    c = echoed(s, TLS1_2_VERSION, 100);
    NEED(c != NULL, "before it");
    static char record[200000] = { 23, 3, 3, 0x40, 0 };
    mark = server_mark(s);
    NEED(send(c->fd, record, sizeof record, MSG_NOSIGNAL) > (ssize_t)sizeof record / 2, "a record of zeros");
    while (!has_ended(c) && (client_turn(c) || clients_wait(&c, 1, LIMIT_MS))) {
    }
    NEED(c->reason == SSL_R_SSLV3_ALERT_BAD_RECORD_MAC, "reason %d%s%s", c->reason, c->eof ? ", FIN" : "",
         c->reset ? ", RST" : "");
    NEED(server_says(s, mark, "close=TLSMEM_EPROTOCOL\n"), "a record of zeros");
    client_free(c);
    return 1;
}

/* Come and gone, in every stage, and in another order than they came. */
static int burst(server *s)
{
    enum { CLIENTS = 300, AT_ONCE = 8 };
    client *all[AT_ONCE] = { NULL };
    for (int i = 0; i < CLIENTS; i++) {
        client **c = &all[i * 5 % AT_ONCE];
        if (*c != NULL)
            (i % 3 == 0 ? client_reset : client_free)(*c);
        *c = client_new(s, 0);
        for (int turns = i % 5; turns > 0; turns--) {
            client_turn(*c);
            clients_wait(c, 1, 5);
        }
    }
    for (int i = 0; i < AT_ONCE; i++)
        client_free(all[i]);
    client *c = echoed(s, 0, 100000);
    NEED(c != NULL, "after the burst");
    client_free(c);
    return 1;
}

/* Nothing moves: the server must hardly be woken, not by clients that are idle, not by one whose socket is full. */
static int idle(server *s)
{
    enum { IDLE = 32, LIMIT_NS = 10000000, WAKES = 4 }; /* a tick; a sweep a second is allowed */
    client *full = echoed(s, 0, 1);
    NEED(full != NULL, "the one that does not read");
    full->deaf = 1;
    full->want = 64 << 20;
    for (int i = 0; i < IDLE; i++)
        NEED(echoed(s, versions[i % 2], 100) != NULL, "the one that is idle, number %d", i);
    while (client_turn(full) || clients_wait(&full, 1, 300)) {
    }
    usage before = server_usage(s);
    sleep(1);
    usage after = server_usage(s);
    NEED(after.nanoseconds - before.nanoseconds < LIMIT_NS && after.wakes - before.wakes <= WAKES,
         "%llu microseconds of processor time, woken %llu times, in a second in which nothing happens",
         (unsigned long long)(after.nanoseconds - before.nanoseconds) / 1000, (unsigned long long)(after.wakes - before.wakes));
    return 1;
}

/* A server of its own with few descriptors, and more clients than that: it serves some, does not spin, and recovers. */
static int descriptors(server *other)
{
    enum { DESCRIPTORS = 40, CLIENTS = 60, SURE = 20, LIMIT_NS = 50000000 };
    server s;
    client *all[CLIENTS];
    int served = 0;
    NEED(server_start(&s, other->path, DESCRIPTORS), "with %d descriptors", DESCRIPTORS);
    for (int i = 0; i < CLIENTS; i++)
        all[i] = client_new(&s, 0);
    for (int i = 0; i < SURE; i++) {
        all[i]->want = 1000;
        NEED(until_one(is_echoed, all[i]), "number %d, with %d descriptors", i, DESCRIPTORS);
    }
    usage before = server_usage(&s);
    sleep(1);
    uint64_t used = server_usage(&s).nanoseconds - before.nanoseconds;
    NEED(used < LIMIT_NS, "%llu microseconds of processor time in a second without descriptors",
         (unsigned long long)used / 1000);
    for (int i = 0; i < CLIENTS; i++)
        client_free(all[i]);
    /* libuv sends those away for whom there is no descriptor, and may not have seen yet that there are some. */
    for (int tries = 0; tries < 100; tries++, usleep(20000)) {
        client *late = client_new(&s, 0);
        late->want = 1000;
        while (!is_echoed(late) && !has_ended(late) && (client_turn(late) || clients_wait(&late, 1, LIMIT_MS))) {
        }
        served = is_echoed(late);
        client_free(late);
        if (served)
            break;
    }
    NEED(served, "none that comes when the others have gone");
    NEED(server_end(&s) == 0, "its end");
    return 1;
}

/* The handshake has ten seconds, and nothing but them: the client never says a word. */
static int silence(server *s)
{
    struct timespec start, end;
    char byte;
    off_t mark = server_mark(s);
    client *c = client_new(s, 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    clients_wait(&c, 1, 12000);
    NEED(recv(c->fd, &byte, 1, 0) <= 0, "an answer to nothing");
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    NEED(seconds > 9.5 && seconds < 11.5, "after %.1f s", seconds);
    NEED(server_says(s, mark, "close=TLSMEM_ETIMEOUT\n"), "the deadline of the handshake");
    client_free(c);
    return 1;
}

const drive drives_of_ends[] = {
    { "half close", half_close, 0 },
    { "and full", half_close_when_full, 0 },
    { "truncation", truncation, 0 },
    { "reset", reset, 0 },
    { "alert", alert, 0 },
    { "burst", burst, 0 },
    { "idle", idle, 0 },
    { "descriptors", descriptors, 0 },
    { "silence", silence, 1 },
    { NULL, NULL, 0 },
};
