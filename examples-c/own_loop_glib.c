/*
 * own_loop_glib.c - the fd face in GLib's main loop: an echo server with a GSource of its own kind for each client.
 *
 * Such a source has room for both things that a connection waits for, its fd (g_source_add_unix_fd) and its deadline
 * (g_source_set_ready_time), so that a client is one source, and nothing is asked in prepare and check at each turn;
 * g_unix_fd_add would take one source for the fd and another for the time, and new ones at each change.
 */
#include "explain.h"
#include "own_loop.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>

struct server {
    struct own_loop all;
    GMainLoop *loop;
    GHashTable *clients; /* who is taken out of it is freed */
    int listener;
    guint accepting, accept_again; /* the numbers of the listener's source, and of the timer when descriptors had run out */
};

/* manual: source */
struct client {
    GSource source; /* begins with GLib's own part */
    struct server *server;
    tlsmem *c;
    gpointer fd; /* what GLib calls the fd; NULL while it is not polled */
};
/* end of source */

static gboolean on_client(gint fd, GIOCondition condition, gpointer user);

static void accept_clients(struct server *s)
{
    if (s->accepting == 0)
        s->accepting = g_unix_fd_add(s->listener, G_IO_IN, on_client, s);
}

/* manual: settle */
/* After every call on a connection: answers, then waits for what the
   connection waits for. */
static gboolean settle(struct client *e)
{
    struct server *s = e->server;
    if (!echo(e->c)) {
        if (farewell(&s->all, e->c))
            g_main_loop_quit(s->loop);
        g_hash_table_remove(s->clients, e);
        accept_clients(s); /* a descriptor is free */
        return G_SOURCE_REMOVE;
    }
    /* G_IO_IN and G_IO_OUT are POLLIN and POLLOUT. */
    GIOCondition wanted = (GIOCondition)tlsmem_interest(e->c);
    if (wanted == 0 && e->fd != NULL) {
        /* GLib would poll for hang-ups all the same. */
        g_source_remove_unix_fd(&e->source, e->fd);
        e->fd = NULL;
    } else if (wanted != 0 && e->fd == NULL) {
        e->fd = g_source_add_unix_fd(&e->source, tlsmem_fd(e->c), wanted);
    } else if (wanted != 0) {
        g_source_modify_unix_fd(&e->source, e->fd, wanted);
    }
    /* GLib has the same clock, in microseconds. */
    int64_t deadline = tlsmem_deadline(e->c);
    g_source_set_ready_time(&e->source,
                            deadline < 0 ? -1 : deadline * 1000);
    return G_SOURCE_CONTINUE;
}

/* The fd is ready, or the time has come. */
static gboolean dispatch(GSource *source, GSourceFunc callback,
                         gpointer user)
{
    struct client *e = (struct client *)source;
    int ready = 0;
    if (e->fd != NULL)
        ready = (int)g_source_query_unix_fd(source, e->fd);
    (void)callback, (void)user;
    /* Errors and hang-ups are found by receiving, or by sending. */
    if (ready & ~G_IO_OUT)
        tlsmem_on_readable(e->c);
    if (ready & ~G_IO_IN)
        tlsmem_on_writable(e->c);
    tlsmem_tick(e->c, tlsmem_now());
    return settle(e);
}

static void finalize(GSource *source)
{
    release(((struct client *)source)->c); /* its fd is polled no more */
}
/* end of settle */

static void free_client(gpointer source)
{
    g_source_destroy(source);
    g_source_unref(source); /* whoever dispatches it has a reference too */
}

static gboolean on_accept_again(gpointer user)
{
    struct server *s = user;
    s->accept_again = 0;
    accept_clients(s);
    return G_SOURCE_REMOVE;
}

static gboolean on_client(gint listener, GIOCondition condition, gpointer user)
{
    static GSourceFuncs kind = { NULL, NULL, dispatch, finalize, NULL, NULL };
    struct server *s = user;
    (void)condition;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        tlsmem *c = welcome(&s->all, fd, NULL, NULL);
        if (c == NULL)
            continue;
        struct client *e = (struct client *)g_source_new(&kind, sizeof *e);
        e->server = s;
        e->c = c;
        g_hash_table_add(s->clients, e);
        g_source_attach(&e->source, NULL);
        settle(e);
    }
    if (!ran_out(errno))
        return G_SOURCE_CONTINUE;
    s->accepting = 0; /* polled on, it would be ready for ever */
    if (s->accept_again == 0)
        s->accept_again = g_timeout_add_seconds(1, on_accept_again, s);
    return G_SOURCE_REMOVE;
}

static gboolean on_signal(gpointer user)
{
    struct server *s = user;
    g_main_loop_quit(s->loop);
    return G_SOURCE_CONTINUE;
}

static void explain_client(gpointer client, gpointer value, gpointer user)
{
    (void)value, (void)user;
    explain_one(((const struct client *)client)->c);
}

static gboolean on_explain(gpointer user)
{
    struct server *s = user;
    g_hash_table_foreach(s->clients, explain_client, NULL);
    explain_end(g_hash_table_size(s->clients));
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    static struct server s;
    begin(&s.all, argc, argv, "sends every byte back, over TLS, in GLib's main loop");
    s.listener = listen_on(&s.all.o);
    s.loop = g_main_loop_new(NULL, FALSE);
    s.clients = g_hash_table_new_full(NULL, NULL, free_client, NULL);
    guint signals[] = { g_unix_signal_add(SIGINT, on_signal, &s), g_unix_signal_add(SIGTERM, on_signal, &s),
                        g_unix_signal_add(SIGUSR1, on_explain, &s) };
    accept_clients(&s);
    say_listening(s.all.o.host, (int)s.all.o.port);
    g_main_loop_run(s.loop);

    g_hash_table_destroy(s.clients);
    guint left[] = { signals[0], signals[1], signals[2], s.accepting, s.accept_again };
    for (size_t i = 0; i < G_N_ELEMENTS(left); i++)
        if (left[i] != 0)
            g_source_remove(left[i]);
    g_main_loop_unref(s.loop);
    tlsmem_ctx_free(s.all.ctx);
    return EXIT_DONE;
}
