/* Who drives an end: the program by its own poll, the program that moves the bytes itself, or a loop. */
#define _GNU_SOURCE
#include "world.h"
#include "clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address_of(int service, int connection)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    to.sin_port = htons((uint16_t)((service + 1) * PORTS_EACH + connection));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return to;
}

/* ---- beginnings */

static void set_up(end *e)
{
    service *s = e->of;
    int status = tlsmem_set_server_name(e->c, "localhost");
    check_status(e, "tlsmem_set_server_name", status, 0);
    if (s->session != NULL && chance_permille(&application_chance, 700)) {
        status = tlsmem_session_set(e->c, s->session);
        note("tlsmem_session_set", e->number, status, 0);
        e->may_write_early = status == TLSMEM_OK && service_has(s, SETTING_EARLY);
    }
}

void open_connection(int connection)
{
    end *e = &w.ends[connection][0];
    int number = connection % w.services_count;
    end_begin(e, connection * 2, &w.services[number]);
    e->c = tlsmem_new(e->of->contexts[0], end_callbacks(e), e);
    if (e->c == NULL)
        fail(connection, "tlsmem_new", "there is no client");
    set_up(e);
    total.connections++;
    e->fd = -1;
    if (chance_permille(&application_chance, 500)) {
        tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
        options.host = "127.0.0.1";
        options.port = (number + 1) * PORTS_EACH + connection;
        int loop = (int)chance_below(&application_chance, (uint64_t)w.loops_count);
        int status = tlsmem_loop_connect(w.loops[loop], e->c, &options);
        note("tlsmem_loop_connect", e->number, status, loop);
        check_status(e, "tlsmem_loop_connect", status, STATUS(TLSMEM_ESYSTEM));
        e->face = FACE_LOOP;
        return;
    }
    struct sockaddr_in to = address_of(number, connection);
    e->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (e->fd < 0 || (connect(e->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS && errno != EINTR)) {
        end_free(e);
        e->is_closed = 1;
        return;
    }
    e->face = FACE_BUFFERS;
    e->is_connecting = 1;
}

/** No more of a listener's connections are in loops than may be. */
static void check_accepted(const service *s, int connection)
{
    int most = w.connections_max[s - w.services], there = 1;
    for (int i = 0; i < w.opened; i++)
        there += w.ends[i][1].of == s && w.ends[i][1].face == FACE_LOOP && is_alive(&w.ends[i][1]);
    if (most > 0 && there > most)
        fail(connection, "connections_max", "%d connections are in loops, and %d may", there, most);
}

int on_accepted(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener;
    service *s = user;
    int side, connection = kernel_connection(accepted->fd, &side);
    note("on_accept", connection * 2 + 1, 0, 0);
    if (chance_permille(&application_chance, w.is_ending ? 0 : 20))
        return 1;
    end *e = &w.ends[connection][1];
    check_accepted(s, connection);
    end_begin(e, connection * 2 + 1, s);
    e->c = accepted->connection;
    e->fd = accepted->fd;
    e->library_owns_fd = 1;
    e->face = FACE_LOOP;
    accepted->callbacks = end_callbacks(e);
    accepted->user = e;
    w.events++;
    return 0;
}

void accept_by_hand(int service)
{
    int fd = accept4(w.listening[service], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int side, connection = kernel_connection(fd, &side);
    end *e = &w.ends[connection][1];
    end_begin(e, connection * 2 + 1, &w.services[service]);
    e->c = tlsmem_new(e->of->contexts[1], end_callbacks(e), e);
    if (e->c == NULL)
        fail(connection, "tlsmem_new", "there is no server");
    e->fd = fd;
    e->face = FACE_BUFFERS;
    w.events++;
    if (chance_permille(&application_chance, 600))
        change_face(e);
}

/* ---- another face */

static int take_out(end *e)
{
    for (int i = 0; i < w.loops_count; i++) {
        int status = tlsmem_loop_remove(w.loops[i], e->c);
        check_status(e, "tlsmem_loop_remove", status, STATUS(TLSMEM_ESTATE));
        if (status == TLSMEM_OK)
            return 1;
    }
    return 0;
}

static void into_loop(end *e)
{
    int loop = (int)chance_below(&application_chance, (uint64_t)w.loops_count);
    int status = tlsmem_loop_add(w.loops[loop], e->c, e->face == FACE_BUFFERS ? e->fd : -1);
    note("tlsmem_loop_add", e->number, status, loop);
    check_status(e, "tlsmem_loop_add", status, STATUS(TLSMEM_ESYSTEM) | STATUS(TLSMEM_ESTATE));
    if (status == TLSMEM_OK)
        e->face = FACE_LOOP;
}

void change_face(end *e)
{
    if (!is_alive(e) || e->is_connecting || e->leaves)
        return;
    note_fd(e);
    uint64_t way = chance_below(&application_chance, 3);
    switch (e->face) {
    case FACE_BUFFERS:
        if (e->held_count > 0 || e->fed_end || e->truth.end)
            return;
        if (way == 0)
            return into_loop(e);
        int status = tlsmem_set_fd(e->c, e->fd);
        note("tlsmem_set_fd", e->number, status, 0);
        check_status(e, "tlsmem_set_fd", status, STATUS(TLSMEM_ESTATE));
        if (status == TLSMEM_OK)
            e->face = FACE_FD;
        return;
    case FACE_FD:
        if (way == 0)
            return into_loop(e);
        if (e->truth.end || (kernel_truth(e->fd) != NULL && kernel_truth(e->fd)->end))
            return; /* the program would have to know that it has seen the end */
        note("tlsmem_take_fd", e->number, tlsmem_take_fd(e->c), 0);
        e->library_owns_fd = 0;
        e->face = FACE_BUFFERS;
        return;
    case FACE_LOOP:
        if (e->fd < 0)
            return;
        if (way == 0 && take_out(e)) {
            note("tlsmem_loop_remove", e->number, 0, 0);
            e->face = FACE_FD;
        } else {
            int loop = (int)chance_below(&application_chance, (uint64_t)w.loops_count);
            int moved = tlsmem_loop_move(w.loops[loop], e->c);
            note("tlsmem_loop_move", e->number, moved, loop);
            check_status(e, "tlsmem_loop_move", moved, STATUS(TLSMEM_ESTATE));
        }
        return;
    case FACE_NONE:
        return;
    }
}
