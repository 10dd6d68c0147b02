/* Loops that drain: no newcomers, those who are there go on, and at last it ends. */
#define _GNU_SOURCE
#include "leaving.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

static int accepted_count;

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    accepted_count++;
    return -1;
}

static int listen_in_first(void)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    MUST(tlsmem_loop_listen(first, server_ctx, &options, &listener) == TLSMEM_OK);
    return tlsmem_listener_port(listener);
}

static int can_connect(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), done;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    done = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return done;
}

static void drains_at_leisure(void)
{
    begin_scene("a loop that drains takes nobody any more, and ends with its last connection");
    int port = listen_in_first();
    open_two(first, second);
    settle();
    CHECK(can_connect(port), "nobody listens");
    settle();
    CHECK_STATUS(tlsmem_loop_drain(first, -1), TLSMEM_OK);
    settle();
    CHECK(!can_connect(port), "it still listens");
    tlsmem *late = connection(client_ctx, NULL, NULL);
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK_STATUS(tlsmem_loop_add(first, late, pair[0]), TLSMEM_ESTATE);
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.on_accept = on_accept;
    CHECK_STATUS(tlsmem_loop_listen(first, server_ctx, &options, NULL), TLSMEM_ESTATE);
    CHECK(in_loop(first) == 1 && server.closes == 0, "its connection did not go on");
    talk_and_close();
    CHECK_STATUS(tlsmem_loop_run(first), TLSMEM_OK); /* returns: it was told to stop when the last one went */
    tlsmem_free(late);
    close(pair[0]);
    close(pair[1]);
    end_scene();
}

static void nothing_happens(tlsmem_timer *timer, void *user)
{
    (void)user;
    IGNORE(tlsmem_timer_set(timer, 1000));
}

static void drains_with_a_deadline(void)
{
    begin_scene("what is left after grace_ms is closed, with close_notify");
    open_two(first, second);
    settle();
    MUST(tlsmem_loop_timer(first, 1000, nothing_happens, NULL) != NULL); /* it does not keep the loop */
    CHECK_STATUS(tlsmem_loop_drain(first, -1), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_drain(first, 20), TLSMEM_OK); /* anew */
    settle();
    CHECK(server.closes == 0, "it was closed at once");
    while (server.closes == 0) {
        MUST(tlsmem_loop_run_once(first, 5000) >= 0);
        settle();
    }
    CHECK(server.report.status == TLSMEM_OK && client.report.status == TLSMEM_OK, "ended with %s and %s",
          tlsmem_status_name(server.report.status), tlsmem_status_name(client.report.status));
    CHECK(client.report.close_notify_received && client.eofs == 1, "no close_notify");
    CHECK_STATUS(tlsmem_loop_run(first), TLSMEM_OK);
    end_scene();

    begin_scene("a loop with nothing in it is drained already");
    MUST(tlsmem_loop_timer(first, 1000000, nothing_happens, NULL) != NULL);
    CHECK_STATUS(tlsmem_loop_drain(first, -1), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_run(first), TLSMEM_OK);
    end_adopt(&client, NULL, 0);
    end_adopt(&server, NULL, 1);
    client.freed = server.freed = 1;
    end_scene();
}

static void *drain_from_outside(void *loop)
{
    IGNORE(tlsmem_loop_drain(loop, 0) != TLSMEM_OK);
    return NULL;
}

static void drains_from_another_thread(void)
{
    pthread_t thread;
    begin_scene("another thread drains a loop that is running");
    open_two(first, first);
    settle();
    MUST(pthread_create(&thread, NULL, drain_from_outside, first) == 0);
    CHECK_STATUS(tlsmem_loop_run(first), TLSMEM_OK);
    MUST(pthread_join(thread, NULL) == 0);
    CHECK(client.closes == 1 && server.closes == 1 && client.report.status == TLSMEM_OK
          && server.report.status == TLSMEM_OK, "ended with %s and %s", tlsmem_status_name(client.report.status),
          tlsmem_status_name(server.report.status));
    end_scene();
}

void draining(void)
{
    drains_at_leisure();
    drains_with_a_deadline();
    drains_from_another_thread();
}
