/*
 * http_clients.c - a client of the HTTP servers, from when it is accepted to its end.
 *
 * What it says is for its protocol (http1.c, http2.c); here it is held to its time and its pace, and let go.
 */
#include "http.h"
#include <string.h>

static void remind(tlsmem_timer *timer, void *user)
{
    struct client *client = user;
    (void)timer;
    client->protocol->late(client);
}

void remind_in(struct client *client, int64_t ms)
{
    if (client->timer != NULL)
        tlsmem_timer_set(client->timer, ms);
}

void send_pieces(struct client *client, const struct iovec *pieces, int count)
{
    size_t n = 0;
    for (int i = 0; i < count; i++)
        n += pieces[i].iov_len;
    if (tlsmem_writev(client->c, pieces, count) != (ptrdiff_t)n)
        client->over = 1; /* nobody writes to a congested connection, so there was room: it has failed */
}

static void free_client(struct client *client)
{
    *client->link = client->next;
    if (client->next != NULL)
        client->next->link = client->link;
    if (client->protocol != NULL)
        client->protocol->end(client);
    tlsmem_timer_free(client->timer);
    tlsmem_free(client->c);
    free(client);
}

/* From a callback of the connection nothing calls back before this returns; from a timer or a post, everything may. */
void settle(struct client *client, int full)
{
    unsigned pause = full && !client->over;
    client->settling++;
    if (client->over)
        tlsmem_close(client->c);
    if (pause != client->paused) {
        client->paused = pause;
        if (pause)
            tlsmem_pause(client->c);
        else
            tlsmem_resume(client->c);
    }
    if (--client->settling == 0 && client->gone)
        free_client(client);
}

/* Begins to speak with a client, once it is known how. Returns 0 when that cannot be. */
static int meet(tlsmem *c, struct client *client)
{
    const struct server *s = client->worker->server;
    const char *name;
    size_t n;
    if (client->protocol != NULL)
        return 1;
    int h2 = s->h2 != NULL && tlsmem_alpn(c, &name, &n) == TLSMEM_OK && n == 2 && memcmp(name, "h2", 2) == 0;
    client->timer = tlsmem_loop_timer(client->worker->loop, s->timeout * 1000, remind, client);
    client->protocol = h2 ? s->h2 : &http1;
    if (client->timer != NULL && client->protocol->begin(client))
        return 1;
    tlsmem_abort(c);
    return 0;
}

static void on_established(tlsmem *c, void *user)
{
    struct client *client = user;
    if (meet(c, client) && client->worker->leaving)
        client->protocol->leave(client);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct client *client = user;
    (void)c;
    if (!client->over) /* what comes after the last answer is nobody's */
        client->protocol->received(client, bytes, n);
}

/* Before the handshake is done, somebody else may send again what a client has sent: see `decide`. */
static void on_early_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    if (meet(c, user))
        on_data(c, bytes, n, user);
}

static void on_drain(tlsmem *c, void *user)
{
    struct client *client = user;
    (void)c;
    client->protocol->go_on(client);
}

static void on_eof(tlsmem *c, void *user)
{
    struct client *client = user;
    (void)c;
    client->protocol->ended(client);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct client *client = user;
    if (client->worker->server->stats)
        print_stats(stdout, c, report);
    if (client->worker->server->verbose)
        say_failure(c);
    client->gone = 1;
    if (client->settling == 0)
        free_client(client);
}

int accept_client(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_data, on_drain, on_eof, on_close };
    struct server *s = user;
    struct worker *w = s->workers;
    struct client *client = calloc(1, sizeof *client);
    (void)listener;
    if (client == NULL || tlsmem_set_early_data_cb(accepted->connection, on_early_data, client) != TLSMEM_OK) {
        free(client);
        return 1;
    }
    while (w->loop != accepted->loop)
        w++;
    client->worker = w;
    client->c = accepted->connection;
    client->next = w->clients;
    client->link = &w->clients;
    if (client->next != NULL)
        client->next->link = &client->next;
    w->clients = client;
    if (getnameinfo(accepted->peer, accepted->peer_length, client->host, sizeof client->host, NULL, 0, NI_NUMERICHOST) != 0)
        strcpy(client->host, "-");
    accepted->callbacks = &callbacks;
    accepted->user = client;
    return 0;
}

void leave_clients(void *worker)
{
    struct worker *w = worker;
    w->leaving = 1;
    for (struct client *client = w->clients, *next; client != NULL; client = next) {
        next = client->next; /* nobody but this one goes meanwhile */
        if (client->protocol != NULL)
            client->protocol->leave(client);
    }
}
