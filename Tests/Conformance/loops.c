/*
 * Many clients at once over one loop and over four, each in its thread: the same bytes come back whoever serves them.
 *
 * The server's loops share a port (SO_REUSEPORT), or one accepts and hands over, and connections move from loop to
 * loop in mid-stream; level- and edge-triggered. Run it with a library under ThreadSanitizer, too: `make check`.
 */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

enum { LOOPS_MOST = 4, CLIENTS_MOST = 64 };

typedef struct play {
    const char *name;
    int loops, reuse_port, hand_over, moves, edge;
} play;

/* ---- the server: every byte back, from whichever loop has the connection now */

static const play *playing;
static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *loops[LOOPS_MOST], *client_loop;
static pthread_t threads[LOOPS_MOST];
static int served_by[LOOPS_MOST];
static int ended, moved, wrong; /* atomic */
static int clients_count;

typedef struct guest {
    int inside; /* atomic: a second thread at the same moment would be wrong */
    unsigned pieces, loop;
} guest;

static void enter(guest *g)
{
    if (__atomic_exchange_n(&g->inside, 1, __ATOMIC_RELAXED) != 0)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

static void leave(guest *g)
{
    __atomic_store_n(&g->inside, 0, __ATOMIC_RELAXED);
}

static void on_server_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    guest *g = user;
    enter(g);
    if (tlsmem_write(c, bytes, n) != (ptrdiff_t)n)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    if (playing->moves && ++g->pieces % 5 == 0) {
        g->loop = (g->loop + 1 + g->pieces % 2) % (unsigned)playing->loops;
        if (tlsmem_loop_move(loops[g->loop], c) == TLSMEM_OK)
            __atomic_add_fetch(&moved, 1, __ATOMIC_RELAXED);
        else
            __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    }
    leave(g);
}

static void on_server_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    guest *g = user;
    enter(g);
    if (report->status != TLSMEM_OK || report->bytes_accepted != report->bytes_received)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    tlsmem_free(c);
    free(g);
    if (__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED) == clients_count)
        for (int i = 0; i < playing->loops; i++)
            tlsmem_loop_stop(loops[i]);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_server_data, NULL, NULL, on_server_close };
    guest *g = calloc(1, sizeof *g);
    (void)listener, (void)user;
    MUST(g != NULL);
    for (int i = 0; i < playing->loops; i++)
        if (loops[i] == accepted->loop) {
            g->loop = (unsigned)i;
            __atomic_add_fetch(&served_by[i], 1, __ATOMIC_RELAXED);
        }
    accepted->callbacks = &callbacks;
    accepted->user = g;
    return 0;
}

static void *run(void *loop)
{
    MUST(tlsmem_loop_run(loop) == TLSMEM_OK);
    return NULL;
}

/* ---- the clients, in one loop of their own: half a MiB each, which never reaches the server's limit */

typedef struct client {
    tlsmem *c;
    int fd;
    uint32_t stream;
    uint64_t sent, received;
    int wrong, closed;
    tlsmem_report_info report;
} client;

static client clients[CLIENTS_MOST];
static int clients_left;
static uint64_t to_send;

static void send_some(client *k)
{
    unsigned char bytes[8192];
    seeded random = { k->stream * 7919u + k->sent };
    while (k->sent < to_send && k->sent - k->received < 131072) {
        size_t n = seeded_size(&random, sizeof bytes);
        if (n > to_send - k->sent)
            n = (size_t)(to_send - k->sent);
        pattern_fill(bytes, k->stream, k->sent, n);
        if (tlsmem_write(k->c, bytes, n) != (ptrdiff_t)n) {
            k->wrong++;
            return;
        }
        k->sent += n;
    }
}

static void on_client_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    client *k = user;
    if (pattern_differs(bytes, k->stream, k->received, n) != n)
        k->wrong++;
    k->received += n;
    send_some(k);
    if (k->received == to_send)
        tlsmem_close(c);
}

static void on_client_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    client *k = user;
    k->closed++;
    k->report = *report;
    tlsmem_free(c);
    if (--clients_left == 0)
        tlsmem_loop_stop(client_loop);
}

static void open_client(client *k, uint32_t stream, int port)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_client_data, NULL, NULL, on_client_close };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(k, 0, sizeof *k);
    k->stream = stream;
    k->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(k->fd >= 0 && (connect(k->fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS));
    k->c = connection(client_ctx, &callbacks, k);
    MUST(tlsmem_own_fd(k->c, 1) == TLSMEM_OK && tlsmem_loop_add(client_loop, k->c, k->fd) == TLSMEM_OK);
    send_some(k);
}

/* ---- one play */

static tlsmem_loop *loop_for(const play *p)
{
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    options.edge_triggered = p->edge;
    options.runs_empty = 1; /* what accepts nobody itself is handed or moved somebody */
    tlsmem_loop *loop = tlsmem_loop_new_with(&options);
    MUST(loop != NULL);
    return loop;
}

static int open_server(const play *p)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    options.reuse_port = p->reuse_port;
    for (int i = 0; i < p->loops; i++)
        loops[i] = loop_for(p);
    for (int i = 0; i < (p->reuse_port ? p->loops : 1); i++) {
        MUST(tlsmem_loop_listen(loops[i], server_ctx, &options, &listener) == TLSMEM_OK);
        options.port = tlsmem_listener_port(listener);
    }
    for (int i = 0; p->hand_over && i < p->loops; i++)
        MUST(tlsmem_listener_add_loop(listener, loops[i]) == TLSMEM_OK);
    return options.port;
}

static void perform(const play *p)
{
    int descriptors = open_descriptors(), least = CLIENTS_MOST;
    situation("%s, %s", p->name, p->edge ? "edge-triggered" : "level-triggered");
    playing = p;
    ended = moved = wrong = 0;
    memset(served_by, 0, sizeof served_by);
    int port = open_server(p);
    client_loop = loop_for(p);
    clients_left = clients_count;
    for (int i = 0; i < clients_count; i++)
        open_client(&clients[i], (uint32_t)i * 2, port);
    for (int i = 0; i < p->loops; i++)
        MUST(pthread_create(&threads[i], NULL, run, loops[i]) == 0);
    MUST(tlsmem_loop_run(client_loop) == TLSMEM_OK);
    for (int i = 0; i < p->loops; i++)
        MUST(pthread_join(threads[i], NULL) == 0);

    for (int i = 0; i < clients_count; i++) {
        const client *k = &clients[i];
        CHECK(k->wrong == 0 && k->closed == 1 && k->report.status == TLSMEM_OK, "client %d: %d wrong, %d times closed, %s",
              i, k->wrong, k->closed, tlsmem_status_name(k->report.status));
        CHECK(k->sent == to_send && k->received == to_send, "client %d: sent %llu, received %llu", i,
              (unsigned long long)k->sent, (unsigned long long)k->received);
    }
    CHECK(wrong == 0, "%d times wrong at the server", wrong);
    CHECK(ended == clients_count, "%d connections ended at the server", ended);
    CHECK(!p->moves || moved >= clients_count, "%d moves", moved);
    for (int i = 0; i < p->loops; i++)
        least = served_by[i] < least ? served_by[i] : least;
    CHECK(p->loops == 1 || (!p->reuse_port && !p->hand_over) || least > 0, "a loop accepted nobody");
    CHECK(!p->hand_over || least == clients_count / p->loops, "a loop was handed %d", least);
    printf("loops: %s, %s: %d clients, %d moves, accepted by each:", p->name, p->edge ? "edge" : "level",
           clients_count, moved);
    for (int i = 0; i < p->loops; i++)
        printf(" %d", served_by[i]);
    printf("\n");
    for (int i = 0; i < p->loops; i++)
        tlsmem_loop_free(loops[i]);
    tlsmem_loop_free(client_loop);
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

int main(void)
{
    static const play plays[] = {
        { "one loop", 1, 0, 0, 0, 0 },
        { "four loops on one port", 4, 1, 0, 0, 0 },
        { "four loops that one acceptor hands to", 4, 0, 1, 0, 0 },
        { "four loops on one port, connections that move", 4, 1, 0, 1, 0 },
        { "four loops that one acceptor hands to, connections that move", 4, 0, 1, 1, 0 },
    };
    static const int versions[] = { TLSMEM_TLS1_2, TLSMEM_TLS1_3 };
    begin("loops");
    clients_count = (int)setting("LOOPS_CLIENTS", short_run() ? 8 : CLIENTS_MOST);
    MUST(clients_count > 0 && clients_count <= CLIENTS_MOST);
    to_send = (uint64_t)setting("LOOPS_BYTES", short_run() ? 65536 : 524288);
    for (int v = 0; v < 2; v++) {
        client_ctx = context(TLSMEM_CLIENT, versions[v]);
        server_ctx = context(TLSMEM_SERVER, versions[v]);
        for (size_t i = 0; i < sizeof plays / sizeof *plays; i++)
            for (int edge = 0; edge < 2; edge++) {
                play p = plays[i];
                p.edge = edge;
                perform(&p);
            }
        tlsmem_ctx_free(client_ctx);
        tlsmem_ctx_free(server_ctx);
    }
    return finish();
}
