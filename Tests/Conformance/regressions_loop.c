/*
 * Loops: what is put into them, what is taken out, and what is left of them.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static tlsmem_loop *loop;

static ends in_the_loop(void)
{
    return (ends){ .version = TLSMEM_TLS1_3, .client_face = FACE_REGISTRY, .server_face = FACE_REGISTRY, .direct = 1,
                   .loop = loop };
}

/* ---- things put into a loop that is being freed */

static tlsmem *late;
static int late_fd;

static void nothing_to_watch(tlsmem_loop *l, int fd, int events, void *user)
{
    (void)l, (void)fd, (void)events, (void)user;
}

static void nothing_to_time(tlsmem_timer *timer, void *user)
{
    (void)timer, (void)user;
}

static int nobody_is_welcome(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    return 1;
}

static void put_more(end *e, event what)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_ctx *ctx = e->test;
    if (what != EVENT_CLOSE)
        return;
    CHECK_STATUS(tlsmem_loop_add(loop, late, late_fd), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_loop_watch(loop, late_fd, POLLIN, nothing_to_watch, NULL), TLSMEM_ESTATE);
    CHECK(tlsmem_loop_timer(loop, 0, nothing_to_time, NULL) == NULL, "a timer was made");
    options.host = "127.0.0.1";
    options.on_accept = nobody_is_welcome;
    CHECK_STATUS(tlsmem_loop_listen(loop, ctx, &options, NULL), TLSMEM_ESTATE);
}

/** What checks here is play_all, which counts descriptors. */
static void grows_while_freed(void)
{
    int pair[2];
    tlsmem_ctx *client_ctx = context(TLSMEM_CLIENT, 0), *server_ctx = context(TLSMEM_SERVER, 0);
    loop = new_loop();
    ends how = in_the_loop();
    establish_ends(&how);
    server.hook = put_more;
    server.test = server_ctx;
    late = connection(client_ctx, NULL, NULL);
    socket_pair(pair);
    late_fd = pair[0];
    tlsmem_loop_free(loop);
    CHECK_ENDED(client, TLSMEM_EABORTED);
    CHECK_ENDED(server, TLSMEM_EABORTED);
    tlsmem_free(late);
    close(pair[0]);
    close(pair[1]);
    close_ends();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

/* ---- what was made beside a connection, and ends with it */

static void never(tlsmem_timer *timer, void *user)
{
    (void)timer, (void)user;
    CHECK(0, "a timer of an hour has passed");
}

static void free_its_timer(end *e, event what)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    if (what != EVENT_CLOSE)
        return;
    MUST(tlsmem_loop_stats(loop, &stats) == TLSMEM_OK);
    if (!CHECK(stats.deadlines > 0, "it is freed already"))
        return;
    CHECK_STATUS(tlsmem_timer_set(e->test, 7200000), TLSMEM_OK);
    tlsmem_timer_free(e->test);
    e->test = NULL;
}

static void timers_of_connections(void)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    loop = new_loop();
    ends how = in_the_loop();
    establish_ends(&how);
    client.hook = server.hook = free_its_timer;
    client.test = tlsmem_loop_timer(loop, 3600000, never, NULL);
    server.test = tlsmem_loop_timer(loop, 3600000, never, NULL);
    MUST(tlsmem_loop_stats(loop, &stats) == TLSMEM_OK);
    CHECK(stats.deadlines >= 2, "%d deadlines", (int)stats.deadlines);
    tlsmem_loop_free(loop);
    CHECK(client.test == NULL && server.test == NULL, "on_close did not come");
    close_ends();
}

/* ---- callbacks that change */

enum { MUCH = 1000000 };

static void new_on_data(void)
{
    const tlsmem_callbacks pull = TLSMEM_CALLBACKS_INIT;
    loop = new_loop();
    ends how = in_the_loop();
    establish_ends(&how);
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &pull, &server), TLSMEM_OK);
    say(&client, MUCH);
    settle_loop(loop);
    CHECK(want_of(server.c).incoming_bytes > 0 && want_of(client.c).has_ciphertext, "the queue is not full");
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &end_callbacks, &server), TLSMEM_OK);
    settle_loop(loop);
    CHECK(server.received == MUCH, "%llu bytes of %d were delivered", (unsigned long long)server.received, (int)MUCH);
    close_ends();
    tlsmem_loop_free(loop);
}

/** Paused, with on_data; then on_data goes, and the program reads by itself. */
static void no_on_data(void)
{
    static char bytes[65536];
    const tlsmem_callbacks pull = TLSMEM_CALLBACKS_INIT;
    uint64_t total = 0;
    loop = new_loop();
    ends how = in_the_loop();
    establish_ends(&how);
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    say(&client, MUCH);
    settle_loop(loop);
    CHECK_STATUS(tlsmem_set_callbacks(server.c, &pull, &server), TLSMEM_OK);
    for (int idle = 0; idle < 4; idle++) {
        ptrdiff_t got;
        settle_loop(loop);
        for (; (got = tlsmem_read(server.c, bytes, sizeof bytes)) > 0; total += (uint64_t)got, idle = 0)
            ;
    }
    CHECK(total == MUCH, "%llu bytes of %d were to be had", (unsigned long long)total, (int)MUCH);
    close_ends();
    tlsmem_loop_free(loop);
}

/* ---- watches */

static int fired;

static void count_and_read(tlsmem_loop *l, int fd, int events, void *user)
{
    char byte;
    (void)l, (void)events, (void)user;
    fired += read(fd, &byte, 1) == 1;
}

/** Closed without being un-watched; then another file has its number. */
static void watch_again(void)
{
    int first[2], second[2];
    loop = new_loop();
    MUST(pipe2(first, O_NONBLOCK | O_CLOEXEC) == 0 && pipe2(second, O_NONBLOCK | O_CLOEXEC) == 0);
    MUST(tlsmem_loop_watch(loop, first[0], POLLIN, count_and_read, NULL) == TLSMEM_OK);
    settle_loop(loop);
    close(first[0]);
    MUST(dup2(second[0], first[0]) == first[0]);
    CHECK_STATUS(tlsmem_loop_watch(loop, first[0], POLLIN, count_and_read, NULL), TLSMEM_OK);
    MUST(write(second[1], "x", 1) == 1);
    fired = 0;
    settle_loop(loop);
    CHECK(fired == 1, "it fired %d times", fired);
    tlsmem_loop_free(loop);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

/* ---- a pause */

static void paused_handshake(void)
{
    loop = new_loop();
    ends how = in_the_loop();
    open_ends(&how);
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    say(&server, 4);
    say(&client, 5);
    settle_loop(loop);
    CHECK(client.established && server.established, "no handshake");
    CHECK(client.received == 4 && server.received == 0, "the client received %d, the paused server %d",
          (int)client.received, (int)server.received);
    CHECK_STATUS(tlsmem_resume(server.c), TLSMEM_OK);
    CHECK(server.received == 5, "%d received", (int)server.received);
    close_ends();
    tlsmem_loop_free(loop);
}

/* ---- what waits for the end of the turn */

static void out_of_the_loop(void)
{
    for (int take = 0; take < 2; take++) {
        loop = new_loop();
        ends how = in_the_loop();
        establish_ends(&how);
        say(&client, 100);
        client.loop = NULL;
        if (take) {
            CHECK(tlsmem_take_fd(client.c) == client.fd, "another fd");
            client.face = FACE_OWN_CALLS;
        } else {
            CHECK_STATUS(tlsmem_loop_remove(loop, client.c), TLSMEM_OK);
            client.face = FACE_FD;
        }
        CHECK(want_of(client.c).has_ciphertext, "nothing is to be sent");
        end_drive(&client);
        settle_loop(loop);
        CHECK(server.received == 100, "%d received", (int)server.received);
        close_ends();
        tlsmem_loop_free(loop);
    }
}

static void cork_afterwards(void)
{
    loop = new_loop();
    ends how = in_the_loop();
    establish_ends(&how);
    say(&client, 100);
    CHECK_STATUS(tlsmem_cork(client.c), TLSMEM_OK);
    settle_loop(loop);
    CHECK(server.received == 100, "%d received", (int)server.received);
    close_ends();
    tlsmem_loop_free(loop);
}

const regression loop_regressions[] = {
    { "grows while it is freed, and is left over", grows_while_freed },
    { "frees a timer before the on_close that would free it", timers_of_connections },
    { "does not read on when it gets an on_data", new_on_data },
    { "does not read on when it loses its on_data while paused", no_on_data },
    { "watches a number whose file is gone", watch_again },
    { "stops the handshake when it is paused", paused_handshake },
    { "forgets what waits for the end of the turn when it is taken out of its loop", out_of_the_loop },
    { "has what was written wait for a cork that comes later", cork_afterwards },
    { NULL, NULL }
};
