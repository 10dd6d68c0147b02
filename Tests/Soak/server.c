/* The server: listeners of the library's loop, and a socket that it accepts from by itself. */
#define _GNU_SOURCE
#include "contexts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BETWEEN_RELOADS = 500, AT_ONCE = 32, IMPATIENCE_MS = 500 };
static tlsmem_ctx *front;
static int listening;
static seeded chance;

static talk *newcomer(way way)
{
    plan p = { .way = way, .changes_to = way, .eager = 1 };
    p.order.number = (uint32_t)GET(own->begun);
    p.order.ending = SILENT; /* as far as is known */
    if (seeded_next(&chance) % 25 == 0)
        p.changes_to = (int)(seeded_next(&chance) % WAYS);
    if (GET(own->begun) % BETWEEN_RELOADS == BETWEEN_RELOADS - 1)
        contexts_reload();
    return talk_new(1, &p);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    talk *t = newcomer(BY_LOOP);
    (void)listener;
    t->c = accepted->connection;
    t->way = BY_LOOP;
    accepted->callbacks = &talk_callbacks;
    accepted->user = t;
    if (user != NULL) {
        tlsmem_set_timeout(t->c, TLSMEM_TIMEOUT_HANDSHAKE, IMPATIENCE_MS);
        tlsmem_set_timeout(t->c, TLSMEM_TIMEOUT_IDLE, IMPATIENCE_MS);
    }
    return 0;
}

static void on_own_accept(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop, (void)events, (void)user;
    for (int i = 0; i < AT_ONCE; i++) {
        int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0)
            return;
        talk *t = newcomer(seeded_next(&chance) % 2 ? BY_FD : BY_BUFFERS);
        t->c = tlsmem_new(front, &talk_callbacks, t);
        MUST(t->c != NULL);
        int few = 4096;
        if (seeded_next(&chance) % 20 == 0)
            MUST(setsockopt(accepted, SOL_SOCKET, SO_SNDBUF, &few, sizeof few) == 0);
        talk_enter(t);
        drive_begin(t, accepted);
        talk_leave(t);
    }
}

static int listen_by_oneself(void)
{
    struct sockaddr_in place = { .sin_family = AF_INET };
    socklen_t n = sizeof place;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(listening >= 0 && bind(listening, (struct sockaddr *)&place, n) == 0 && listen(listening, SOMAXCONN) == 0);
    MUST(getsockname(listening, (struct sockaddr *)&place, &n) == 0);
    MUST(tlsmem_loop_watch(the_loop, listening, POLLIN, on_own_accept, NULL) == TLSMEM_OK);
    return ntohs(place.sin_port);
}

static int listen_by_loop(const char *path, int impatient)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    if (path != NULL)
        options.path = path;
    else
        options.host = "127.0.0.1";
    options.on_accept = on_accept;
    options.user = impatient ? &options : NULL;
    MUST(tlsmem_loop_listen(the_loop, front, &options, &listener) == TLSMEM_OK);
    return tlsmem_listener_port(listener);
}

/** When the clients have come to rest, so has the server once nobody is left. */
static void rest(tlsmem_timer *timer, void *user)
{
    int asked = GET(shared->quiet_asked);
    (void)user;
    if (GET(own->rested) < asked && GET(shared->counts[CLIENTS].rested) == asked && GET(own->alive) == 0) {
        contexts_reload(); /* what lives longer than connections is to lie at the front of the heap, and not hold it up */
        look_at_oneself(&own->quiet);
        SET(own->rested, asked);
    }
    if (GET(shared->is_over))
        IGNORE(tlsmem_loop_stop(the_loop));
    IGNORE(tlsmem_timer_set(timer, 20));
}

void serve(void)
{
    chance.state = shared->seed ^ 0x5e12e12;
    front = contexts_of_server();
    MUST((the_loop = new_loop()) != NULL && tlsmem_loop_timer(the_loop, 20, rest, NULL) != NULL);
    answers_begin();
    for (int i = 0; i < LOOP_PORTS; i++)
        shared->loop_ports[i] = listen_by_loop(NULL, 0);
    shared->impatient_port = listen_by_loop(NULL, 1);
    listen_by_loop(shared->path, 0);
    SET(shared->own_port, listen_by_oneself()); /* the last: now clients may come */
    MUST(tlsmem_loop_run(the_loop) == TLSMEM_OK);
    answers_end();
    talks_free();
    tlsmem_loop_free(the_loop);
    close(listening);
    contexts_free();
}
