/*
 * The registry face of the target: the library accepts, connects and polls.
 */
#include "target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static tlsmem_loop *loop;

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    char name[16];
    (void)listener, (void)user;
    snprintf(name, sizeof name, "%d", ntohs(((const struct sockaddr_in *)(const void *)accepted->peer)->sin_port));
    target_socket(accepted->fd);
    session *s = session_new(name, -1);
    s->c = accepted->connection;
    accepted->callbacks = &target_callbacks;
    accepted->user = s;
    return 0;
}

static void on_command(tlsmem_loop *l, int fd, int events, void *user)
{
    (void)l, (void)fd, (void)events, (void)user;
    target_command();
}

static void on_attempt(tlsmem *c, const struct sockaddr *to, socklen_t n, int sys_errno, void *user)
{
    (void)to, (void)n, (void)user;
    if (sys_errno == 0)
        target_socket(tlsmem_fd(c));
}

void registry_connect(int port, const char *name)
{
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    session *s = session_new(name, -1);
    to.host = "127.0.0.1";
    to.port = port;
    to.on_attempt = on_attempt;
    s->c = tlsmem_new(target_ctx, &target_callbacks, s);
    if (s->c == NULL || tlsmem_set_server_name(s->c, "localhost") != TLSMEM_OK)
        exit(2);
    target_greets(s->c);
    if (tlsmem_loop_connect(loop, s->c, &to) != TLSMEM_OK)
        exit(2);
}

void registry_serve(int listens)
{
    tlsmem_listen_options at = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    loop = tlsmem_loop_new();
    if (loop == NULL || tlsmem_loop_watch(loop, STDIN_FILENO, POLLIN, on_command, NULL) != TLSMEM_OK)
        exit(2);
    at.host = "127.0.0.1";
    at.on_accept = on_accept;
    if (listens) {
        if (tlsmem_loop_listen(loop, target_ctx, &at, &listener) != TLSMEM_OK)
            exit(2);
        target_listens(tlsmem_listener_port(listener));
    } else {
        target_listens(0);
    }
    while (tlsmem_loop_run_once(loop, -1) >= 0) {
        int most = 16; /* the youngest: of thousands not all are looked at */
        for (session *s = sessions; s != NULL && most-- > 0; s = s->next)
            session_measure(s);
    }
    exit(2);
}
