/* tlsmem_registry.c - libtlsmem's own loop. */
#include "common.h"
#include "tlsmem_common.h"
#include <pthread.h>
#include <stdlib.h>

static void on_established(tlsmem *c, void *user)
{
    (void)user;
    if (options.work == WORK_DOWNLOAD)
        stream(c, SIZE_MAX); /* on_drain comes only when it has been congested */
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    answer_in(c, user, bytes, n);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    if (options.work == WORK_DOWNLOAD)
        stream(c, SIZE_MAX);
    else
        tlsmem_resume(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_data, on_drain, NULL, on_close };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

static void *run(void *loop)
{
    if (tlsmem_loop_run(loop) != TLSMEM_OK)
        fail("the loop failed");
    return NULL;
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    tlsmem_loop *first = tlsmem_loop_new();
    tlsmem_listen_options listen = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    listen.host = options.host;
    listen.port = options.port;
    listen.on_accept = on_accept;
    listen.user_size = sizeof(unsigned);
    if (tlsmem_loop_listen(first, tlsmem_context(), &listen, &listener) != TLSMEM_OK)
        fail("cannot listen");
    for (int i = 1; i < options.loops; i++) {
        pthread_t thread;
        tlsmem_loop *another = tlsmem_loop_new();
        tlsmem_listener_add_loop(listener, first); /* it serves as well */
        tlsmem_listener_add_loop(listener, another);
        pthread_create(&thread, NULL, run, another);
    }
    say_listening(tlsmem_listener_port(listener));
    run(first);
    return 0;
}
