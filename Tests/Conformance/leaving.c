/*
 * Connections that leave their loop: it drains, or they move to another one.
 *
 * Everything here is one thread; threads are loops.c's. Two ends, each in a loop, on the two halves of a socketpair;
 * `settle` turns all loops until nothing happens any more.
 */
#define _GNU_SOURCE
#include "leaving.h"

#include <unistd.h>

tlsmem_ctx *client_ctx, *server_ctx;
tlsmem_loop *first, *second;
end client, server;

void settle(void)
{
    for (int idle = 0; idle < 4;) {
        uint64_t before = client.activity + server.activity;
        int handled = 0, now;
        for (int i = 0; i < 2; i++)
            if ((now = tlsmem_loop_run_once(i ? second : first, 0)) > 0)
                handled += now;
        end_step(&client);
        end_step(&server);
        idle = handled > 0 || client.activity + server.activity != before ? 0 : idle + 1;
    }
}

void open_two(tlsmem_loop *of_server, tlsmem_loop *of_client)
{
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    end_adopt(&client, NULL, 0);
    end_adopt(&server, NULL, 1);
    client.c = connection(client_ctx, &end_callbacks, &client);
    server.c = connection(server_ctx, &end_callbacks, &server);
    client.close_on_eof = server.close_on_eof = 1;
    client.fd = pair[0];
    server.fd = pair[1];
    MUST(tlsmem_loop_add(of_client, client.c, client.fd) == TLSMEM_OK);
    MUST(tlsmem_loop_add(of_server, server.c, server.fd) == TLSMEM_OK);
}

uint64_t in_loop(const tlsmem_loop *loop)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    MUST(tlsmem_loop_stats(loop, &stats) == TLSMEM_OK);
    return stats.connections;
}

void begin_scene(const char *name)
{
    situation("%s", name);
    first = new_loop();
    second = new_loop();
    MUST(first != NULL && second != NULL);
}

void end_scene(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d and %d times wrong", client.wrong, server.wrong);
    CHECK(client.closes <= 1 && server.closes <= 1, "%d and %d on_close", client.closes, server.closes);
    end_finish(&client);
    end_finish(&server);
    tlsmem_loop_free(first);
    tlsmem_loop_free(second);
}

void talk_and_close(void)
{
    client.to_send += 100000;
    server.to_receive = client.to_send;
    server.to_send += 100000;
    client.to_receive = server.to_send;
    settle();
    CHECK(server.received == server.to_receive && client.received == client.to_receive, "received %llu and %llu",
          (unsigned long long)server.received, (unsigned long long)client.received);
    MUST(tlsmem_close(client.c) == TLSMEM_OK);
    settle();
    CHECK(client.closes == 1 && client.report.status == TLSMEM_OK, "client: %s", tlsmem_status_name(client.report.status));
    CHECK(server.closes == 1 && server.report.status == TLSMEM_OK, "server: %s", tlsmem_status_name(server.report.status));
}

/* ---- moving */

static void moves_from_outside(void)
{
    begin_scene("it moves, established, and goes on in the other loop");
    open_two(first, first);
    settle();
    CHECK(server.established == 1 && in_loop(first) == 2 && in_loop(second) == 0, "not established");
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_OK);
    CHECK(in_loop(first) == 1 && in_loop(second) == 0, "on its way it is in a loop");
    CHECK_STATUS(tlsmem_loop_move(first, server.c), TLSMEM_ESTATE); /* it is in no loop now */
    settle();
    CHECK(in_loop(second) == 1, "it did not arrive");
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_OK); /* it is there */
    CHECK(in_loop(second) == 1, "it left for the place where it is");
    talk_and_close();
    end_scene();

    begin_scene("it moves before a byte of the handshake has come");
    open_two(first, first);
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_OK);
    settle();
    CHECK(server.established == 1 && in_loop(second) == 1, "established %d", server.established);
    talk_and_close();
    end_scene();
}

static event at;
static int (*also)(tlsmem *c);
static int move_status;

static void move_in_callback(end *e, event what)
{
    if (what != at || e->test != NULL)
        return;
    e->test = e;
    move_status = tlsmem_loop_move(second, e->c);
    if (also != NULL)
        also(e->c);
    if (e->close_called == 2) /* `free` below */
        end_free_connection(e);
}

static int and_free(tlsmem *c) { (void)c; server.close_called = 2; return 0; }
static int and_remove(tlsmem *c) { return tlsmem_loop_remove(first, c); }
static int and_stay(tlsmem *c) { return tlsmem_loop_move(first, c); }

static void moves_from_callbacks(void)
{
    static const struct { const char *name; int (*also)(tlsmem *c); } then[] = {
        { "nothing", NULL }, { "close", tlsmem_close }, { "abort", tlsmem_abort }, { "free", and_free },
        { "tlsmem_loop_remove", and_remove }, { "a move back", and_stay }, { "pause", tlsmem_pause },
    };
    static const char *const events[] = { "on_established", "on_data", "on_drain", "on_eof", "on_close" };
    for (int e = EVENT_ESTABLISHED; e < EVENTS; e++)
        for (size_t t = 0; t < sizeof then / sizeof *then; t++) {
            char name[128];
            snprintf(name, sizeof name, "it moves from inside %s, and then %s", events[e], then[t].name);
            begin_scene(name);
            open_two(first, first);
            at = (event)e;
            also = then[t].also;
            move_status = 1;
            server.hook = move_in_callback;
            client.to_send = 3000000;
            server.to_send = e == EVENT_DRAIN ? 3000000 : 0; /* more than outgoing_max: it is stopped, and drains */
            client.to_receive = server.to_send;
            settle();
            if (client.closes == 0 && e >= EVENT_EOF) {
                tlsmem_close(client.c);
                settle();
            }
            CHECK(move_status == (e == EVENT_CLOSE ? TLSMEM_ESTATE : TLSMEM_OK), "moving: %s in %s",
                  tlsmem_status_name(move_status), events[e]);
            if (then[t].also == NULL && e < EVENT_EOF) {
                CHECK(in_loop(second) == 1 && in_loop(first) == 1, "it did not arrive");
                CHECK(server.received == client.to_send, "%llu bytes", (unsigned long long)server.received);
                CHECK(client.received == server.to_send, "%llu bytes", (unsigned long long)client.received);
            }
            if (then[t].also == and_stay && e < EVENT_EOF)
                CHECK(in_loop(second) == 0 && in_loop(first) == 2, "it left all the same");
            if (then[t].also == and_remove && e < EVENT_EOF)
                CHECK(in_loop(second) == 0 && in_loop(first) == 1, "it is in a loop");
            if (then[t].also == tlsmem_abort && e < EVENT_CLOSE)
                CHECK(server.closes == 1 && server.report.status == TLSMEM_EABORTED, "aborted: %d on_close, %s",
                      server.closes, tlsmem_status_name(server.report.status));
            end_scene();
        }
}

static void move_the_other(end *e, event what)
{
    (void)e;
    if (what == EVENT_CLOSE)
        move_status = tlsmem_loop_move(second, server.c);
}

static void moves_to_the_end_of_a_loop(void)
{
    begin_scene("it moves to a loop that is being freed");
    open_two(first, second);
    settle();
    client.hook = move_the_other;
    move_status = 1;
    tlsmem_loop_free(second);
    second = new_loop();
    CHECK(client.closes == 1, "%d on_close of the one that was there", client.closes);
    CHECK_STATUS(move_status, TLSMEM_ESTATE);
    CHECK(server.closes == 0 && in_loop(first) == 1, "%d on_close, %d in its loop", server.closes, (int)in_loop(first));
    end_free_connection(&client);
    settle();
    CHECK(server.closes == 1 && server.report.status != TLSMEM_EABORTED, "%d on_close, %s", server.closes,
          tlsmem_status_name(server.report.status));
    end_scene();

    begin_scene("it moves to a loop that is freed before it arrived");
    open_two(first, first);
    settle();
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_OK);
    tlsmem_loop_free(second);
    CHECK(server.closes == 1 && server.report.status == TLSMEM_EABORTED, "%d on_close, %s", server.closes,
          tlsmem_status_name(server.report.status));
    second = new_loop();
    settle();
    CHECK(client.closes == 1, "the peer was not told");
    end_scene();

    begin_scene("it is freed on its way");
    open_two(first, first);
    settle();
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_OK);
    end_free_connection(&server);
    settle();
    CHECK(in_loop(second) == 0, "it arrived");
    end_scene();

    begin_scene("it ends on its way");
    open_two(first, first);
    settle();
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_OK);
    CHECK_STATUS(tlsmem_abort(server.c), TLSMEM_OK);
    settle();
    CHECK(server.closes == 1 && in_loop(second) == 0, "%d on_close", server.closes);
    end_scene();

    begin_scene("what is in no loop cannot move");
    open_two(first, first);
    MUST(tlsmem_loop_remove(first, server.c) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_move(second, server.c), TLSMEM_ESTATE);
    end_scene();
}

int main(void)
{
    begin("leaving");
    int descriptors = open_descriptors();
    client_ctx = context(TLSMEM_CLIENT, 0);
    server_ctx = context(TLSMEM_SERVER, 0);
    moves_from_outside();
    moves_from_callbacks();
    moves_to_the_end_of_a_loop();
    draining();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    situation("at the end");
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
    return finish();
}
