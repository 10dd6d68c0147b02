/*
 * A child of fork frees what it has a copy of: connections, loops, listeners, contexts. The parent's go on as if nothing
 * had happened: nothing was sent for them, nothing was shut down, and epoll, which both processes share, still watches
 * for them. The child says by its exit code what went wrong: the number of the line, or 0.
 */
#define _GNU_SOURCE
#include "forks.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

tlsmem_ctx *client_ctx, *server_ctx;

/* ---- connections */

static void free_both_ends(void)
{
    end_finish(&client);
    end_finish(&server);
}

static void free_with_loops(void)
{
    tlsmem_loop *loops[2] = { client.loop, server.loop };
    tlsmem_report_info report;
    for (int i = 0; i < 2; i++) {
        end *e = i == 0 ? &client : &server;
        int in_loop = e->face == FACE_REGISTRY && want_of(e->c).state != TLSMEM_STATE_CLOSED;
        if (loops[i] != NULL)
            tlsmem_loop_free(loops[i]);
        report = report_of(e->c);
        if (in_loop)
            HOLDS(e->closes == 1 && report.status == TLSMEM_EABORTED && report.close_notify_sent == 0);
    }
    free_both_ends();
}

/** The pair of the parent says something to each other, and closes. */
static void goes_on(void)
{
    uint64_t before = client.received;
    client.to_send += 100000;
    server.to_send += 100000;
    wire_settle(&pair_wire);
    CHECK(client.received == before + 100000 && server.received == client.received, "%llu and %llu bytes came",
          (unsigned long long)client.received, (unsigned long long)server.received);
    client.close_when_done = server.close_on_eof = 1;
    client.to_receive = client.received;
    CHECK(wire_run(&pair_wire, both_ended), "it does not end");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    pair_close();
}

static void freed_in_child(const scene *s)
{
    pair_establish(s);
    in_child(free_both_ends);
    goes_on();
}

static void freed_with_loops_in_child(const scene *s)
{
    pair_establish(s);
    in_child(free_with_loops);
    goes_on();
}

/** It was about to close, or to send: that is the parent's. */
static void freed_while_closing(const scene *s)
{
    pair_establish(s);
    client.to_send = 300000;
    end_step(&client);
    MUST(tlsmem_close(client.c) == TLSMEM_OK);
    client.close_called = 1;
    in_child(free_both_ends);
    server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "it does not end");
    CHECK_DELIVERED(client, server);
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    pair_close();
}

static void freed_in_handshake(const scene *s)
{
    pair_open(s);
    for (int turn = 0; turn < 2; turn++)
        wire_turn(&pair_wire);
    in_child(free_with_loops);
    MUST(wire_run(&pair_wire, both_established));
    goes_on();
}

/* ---- a child that goes on with a connection, and the parent does not */

static tlsmem_loop *parents;
static tlsmem *to_child;

static void serve_in_child(void)
{
    tlsmem_loop *own = tlsmem_loop_new();
    HOLDS_STATUS(tlsmem_loop_remove(parents, to_child), TLSMEM_OK);
    HOLDS_STATUS(tlsmem_loop_add(own, to_child, -1), TLSMEM_OK);
    HOLDS_STATUS(tlsmem_write(to_child, "from the child", 14), 14);
    HOLDS_STATUS(tlsmem_close(to_child), TLSMEM_OK);
    for (int turns = 0; turns < 500 && state_of(to_child) != TLSMEM_STATE_CLOSED; turns++)
        HOLDS(tlsmem_loop_run_once(own, 10) >= 0);
    HOLDS(state_of(to_child) == TLSMEM_STATE_CLOSED && failure_of(to_child) == TLSMEM_OK);
    tlsmem_free(to_child);
    tlsmem_loop_free(own);
    tlsmem_loop_free(parents);
}

static void child_goes_on(void)
{
    int sockets[2], status;
    char text[32] = "";
    situation("a connection that the child goes on with");
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
    tlsmem_loop *loop = new_loop();
    parents = new_loop();
    tlsmem *c = connection(client_ctx, NULL, NULL);
    to_child = connection(server_ctx, NULL, NULL);
    MUST(tlsmem_loop_add(loop, c, sockets[0]) == TLSMEM_OK && tlsmem_handshake(c) <= TLSMEM_OK);
    MUST(tlsmem_loop_add(parents, to_child, sockets[1]) == TLSMEM_OK);
    while (!tlsmem_is_established(c) || !tlsmem_is_established(to_child))
        MUST(tlsmem_loop_run_once(loop, 1) >= 0 && tlsmem_loop_run_once(parents, 1) >= 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        alarm(20);
        close(sockets[0]);
        serve_in_child();
        _exit(wrong_line == 0 ? 0 : 1 + wrong_line % 255);
    }
    tlsmem_free(to_child); /* it sends nothing, and the socket is the child's now */
    close(sockets[1]);
    for (int turns = 0; turns < 500 && state_of(c) != TLSMEM_STATE_CLOSED && tlsmem_loop_run_once(loop, 10) >= 0; turns++)
        if (tlsmem_read(c, text, sizeof text - 1) > 0)
            IGNORE(tlsmem_close(c));
    MUST(waitpid(child, &status, 0) == child);
    CHECK(strcmp(text, "from the child") == 0, "\"%s\" came", text);
    CHECK_STATUS(failure_of(c), TLSMEM_OK);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", (unsigned)status);
    tlsmem_free(c);
    close(sockets[0]);
    tlsmem_loop_free(loop);
    tlsmem_loop_free(parents);
}

/* ---- random numbers */

enum { RANDOM = 32 };

/** The random number of a client's first message (RFC 8446, 4.1.2): behind the headers of record and message, and the version. */
static void draw(unsigned char *random)
{
    const void *bytes;
    size_t n;
    tlsmem *c = connection(client_ctx, NULL, NULL);
    MUST(tlsmem_outgoing_peek(c, &bytes, &n) == TLSMEM_OK && n > 11 + RANDOM);
    memcpy(random, (const unsigned char *)bytes + 11, RANDOM);
    tlsmem_free(c);
}

/** Whether a child draws the same number as its parent does next. */
static int draws_the_same(void)
{
    unsigned char random[2][RANDOM];
    int status, report[2];
    MUST(pipe(report) == 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        draw(random[0]);
        _exit(write(report[1], random[0], RANDOM) == RANDOM ? 0 : 1);
    }
    draw(random[1]);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    MUST(read(report[0], random[0], RANDOM) == RANDOM);
    close(report[0]);
    close(report[1]);
    return memcmp(random[0], random[1], RANDOM) == 0;
}

/** With numbers that are no random ones the test sees it. */
static void draws_seeded(void)
{
    HOLDS_STATUS(tlsmem_insecure_randomness(1), TLSMEM_OK);
    HOLDS(draws_the_same());
}

static void random_numbers(void)
{
    unsigned char before[RANDOM];
    situation("a child draws other random numbers");
    draw(before); /* the generators are in use */
    CHECK(!draws_the_same(), "parent and child have the same random number");
    in_child(draws_seeded);
}

int main(void)
{
    begin("forks");
    client_ctx = context(TLSMEM_CLIENT, 0);
    server_ctx = context(TLSMEM_SERVER, 0);
    every_pair("freed in a child", NULL, freed_in_child);
    every_pair("freed in a child with its loop", NULL, freed_with_loops_in_child);
    every_pair("freed in a child while it closes", NULL, freed_while_closing);
    every_pair("freed in a child in its handshake", NULL, freed_in_handshake);
    child_goes_on();
    loops_of_the_parent();
    random_numbers();
#ifndef NO_THREADS_AFTER_FORK /* the address sanitizer may lock up in fork */
    beside_resolver();
#endif
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
