/*
 * Connections of a listener that change loops, and what is counted of it.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static tlsmem_loop *here, *there;
static tlsmem_listener *listener;
static int accepted_count;
static tlsmem *last_accepted;
static end accepted_end;
static int (*answer)(tlsmem_accepted *accepted);

static int on_accept(tlsmem_listener *l, tlsmem_accepted *accepted, void *user)
{
    (void)l, (void)user;
    accepted_count++;
    last_accepted = accepted->connection;
    return answer(accepted);
}

static void listen_here(int (*on_client)(tlsmem_accepted *accepted), int connections_max)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    here = new_loop();
    there = new_loop();
    accepted_count = 0;
    last_accepted = NULL;
    answer = on_client;
    options.host = "127.0.0.1";
    options.connections_max = connections_max;
    options.on_accept = on_accept;
    MUST(tlsmem_loop_listen(here, ctx, &options, &listener) == TLSMEM_OK);
    tlsmem_ctx_free(ctx);
}

/** A client that has connected is there at once. */
static int one_client(void)
{
    int fd = plain_client(tlsmem_listener_port(listener));
    MUST(fd >= 0);
    settle_loop(here);
    return fd;
}

static void free_both(void)
{
    tlsmem_loop_free(here);
    tlsmem_loop_free(there);
}

/* ---- on the way */

static int keep(tlsmem_accepted *accepted)
{
    (void)accepted;
    return 0;
}

static void lost_on_the_way(int freed_by_the_program)
{
    listen_here(keep, 1);
    int fds[2] = { one_client(), -1 };
    MUST(accepted_count == 1);
    tlsmem *gone = last_accepted;
    CHECK_STATUS(tlsmem_loop_move(there, gone), TLSMEM_OK);
    if (freed_by_the_program) {
        tlsmem_free(gone);
    } else {
        tlsmem_loop_free(there);
        there = new_loop();
        tlsmem_free(gone);
    }
    fds[1] = one_client();
    CHECK(accepted_count == 2, "%d accepted: the first, which is no more, is still counted", accepted_count);
    if (accepted_count == 2)
        tlsmem_free(last_accepted);
    close(fds[0]);
    close(fds[1]);
    free_both();
}

static void its_loop_was_freed(void) { lost_on_the_way(0); }
static void it_was_freed(void) { lost_on_the_way(1); }

static void put_back(void)
{
    listen_here(keep, 1);
    int fds[2] = { one_client(), -1 };
    MUST(accepted_count == 1);
    tlsmem *first = last_accepted;
    CHECK_STATUS(tlsmem_loop_remove(here, first), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_add(here, first, -1), TLSMEM_OK);
    fds[1] = one_client();
    CHECK(accepted_count == 1, "%d accepted, though one is the limit", accepted_count);
    tlsmem_free(first);
    settle_loop(here);
    CHECK(accepted_count == 2, "%d accepted after the first was freed", accepted_count);
    tlsmem_free(last_accepted);
    close(fds[0]);
    close(fds[1]);
    free_both();
}

/* ---- from inside on_accept */

static int adopt_add_and_move(tlsmem_accepted *accepted)
{
    end_adopt(&accepted_end, accepted->connection, 1);
    accepted->callbacks = &end_callbacks;
    accepted->user = &accepted_end;
    CHECK_STATUS(tlsmem_loop_add(here, accepted->connection, -1), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_move(there, accepted->connection), TLSMEM_OK);
    return 0;
}

static uint64_t in_loop(const tlsmem_loop *loop)
{
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    MUST(tlsmem_loop_stats(loop, &stats) == TLSMEM_OK);
    return stats.connections;
}

static void moved_in_on_accept(void)
{
    listen_here(adopt_add_and_move, 0);
    int fd = one_client();
    MUST(accepted_count == 1);
    settle_loop(there);
    CHECK(in_loop(here) == 0 && in_loop(there) == 1, "%d in the old loop, %d in the new one", (int)in_loop(here),
          (int)in_loop(there));
    end_finish(&accepted_end);
    close(fd);
    free_both();
}

static int add_and_refuse(tlsmem_accepted *accepted)
{
    CHECK_STATUS(tlsmem_loop_add(here, accepted->connection, -1), TLSMEM_OK);
    return 1;
}

static void refused_in_a_loop(void)
{
    listen_here(add_and_refuse, 0);
    int fd = one_client();
    CHECK(accepted_count == 1 && in_loop(here) == 0, "it is in the loop");
    CHECK(recv(fd, (char[1]){ 0 }, 1, MSG_DONTWAIT) == 0, "the client is still connected");
    close(fd);
    free_both();
}

/* ---- loops that drain */

static void free_it(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

static int keep_to_the_end(tlsmem_accepted *accepted)
{
    static const tlsmem_callbacks freeing = { sizeof freeing, NULL, NULL, NULL, NULL, free_it };
    accepted->callbacks = &freeing;
    return 0;
}

static void served_by_one_that_drains(void)
{
    listen_here(keep_to_the_end, 0);
    CHECK_STATUS(tlsmem_listener_add_loop(listener, here), TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_drain(there, -1), TLSMEM_OK);
    IGNORE(tlsmem_listener_add_loop(listener, there));
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = one_client();
    settle_loop(there);
    settle_loop(here);
    CHECK(accepted_count == 4 && in_loop(here) == 4, "%d accepted, of which %d are served", accepted_count,
          (int)in_loop(here));
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    free_both();
}

static void arrives_after_the_grace(void)
{
    ends how = { .version = TLSMEM_TLS1_3, .client_face = FACE_REGISTRY, .server_face = FACE_REGISTRY, .direct = 1 };
    here = new_loop();
    there = new_loop();
    how.loop = here;
    establish_ends(&how);
    int stalled[2];
    socket_pair(stalled);
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *holding = connection(ctx, NULL, NULL); /* closing, with something written: it waits for the peer */
    tlsmem_ctx_free(ctx);
    MUST(tlsmem_write(holding, "x", 1) == 1 && tlsmem_loop_add(there, holding, stalled[0]) == TLSMEM_OK);
    CHECK_STATUS(tlsmem_loop_drain(there, 0), TLSMEM_OK);
    while (state_of(holding) != TLSMEM_STATE_CLOSING && tlsmem_loop_run_once(there, 1000) >= 0)
        ;
    client.close_on_eof = 1;
    CHECK_STATUS(tlsmem_loop_move(there, server.c), TLSMEM_OK);
    for (int i = 0; i < 4; i++) {
        settle_loop(there);
        settle_loop(here);
    }
    CHECK(server.closes == 1, "it goes on for ever, and the loop with it");
    tlsmem_free(holding);
    close_ends();
    close(stalled[0]);
    close(stalled[1]);
    free_both();
}

/* ---- what is counted */

static void leave_when_established(end *e, event what)
{
    if (what == EVENT_ESTABLISHED)
        CHECK_STATUS(tlsmem_loop_move(there, e->c), TLSMEM_OK);
}

static void established_and_gone(void)
{
    ends how = { .version = TLSMEM_TLS1_3, .client_face = FACE_REGISTRY, .server_face = FACE_REGISTRY, .direct = 1 };
    tlsmem_loop_stats_info stats = TLSMEM_LOOP_STATS_INFO_INIT;
    here = new_loop();
    there = new_loop();
    how.loop = here;
    open_ends(&how);
    client.hook = server.hook = leave_when_established;
    settle_loop(here);
    settle_loop(there);
    MUST(tlsmem_loop_stats(here, &stats) == TLSMEM_OK);
    CHECK(stats.established == 2 && stats.handshaking == 0, "%d handshakes done, %d under way", (int)stats.established,
          (int)stats.handshaking);
    close_ends();
    free_both();
}

/** The socket is full, the program takes it back, and finds it broken. */
static void keeps_what_cannot_be_sent(void)
{
    const void *bytes;
    size_t n;
    establish_ends(&(ends){ .version = TLSMEM_TLS1_3, .server_face = FACE_FD });
    CHECK_STATUS(tlsmem_pause(server.c), TLSMEM_OK);
    say(&client, 100);
    wire_settle(&pair_wire);
    say(&server, 900000);
    CHECK(want_of(server.c).outgoing_bytes > 0 && want_of(server.c).incoming_bytes > 0, "nothing waits");
    IGNORE(tlsmem_take_fd(server.c) < 0);
    CHECK_STATUS(tlsmem_feed_error(server.c, EPIPE), TLSMEM_OK);
    CHECK_STATUS(tlsmem_outgoing_peek(server.c, &bytes, &n), TLSMEM_AGAIN);
    close_ends();
}

const regression moving_regressions[] = {
    { "counts for ever a connection whose new loop was freed before it arrived", its_loop_was_freed },
    { "counts for ever a connection that was freed on its way", it_was_freed },
    { "does not count a connection that was taken out of its loop and put back", put_back },
    { "takes into its own loop what on_accept has moved to another", moved_in_on_accept },
    { "goes on in its loop after on_accept has refused it", refused_in_a_loop },
    { "gives clients to a loop that drains, which ends them", served_by_one_that_drains },
    { "never ends a loop that a connection came into after the grace", arrives_after_the_grace },
    { "does not count a handshake after which the connection left at once", established_and_gone },
    { "keeps what an fd did not take when tlsmem_feed_error says that it never will", keeps_what_cannot_be_sent },
    { NULL, NULL }
};
