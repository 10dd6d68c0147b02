/*
 * Listeners, and the connections that they count.
 */
#define _GNU_SOURCE
#include "regressions.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static tlsmem_loop *loop;
static tlsmem_listener *listener;
static int accepted_count, last_error, errors;
static tlsmem *last_accepted;
static int (*answer)(tlsmem_accepted *accepted);

static int on_accept(tlsmem_listener *l, tlsmem_accepted *accepted, void *user)
{
    (void)l, (void)user;
    accepted_count++;
    last_accepted = accepted->connection;
    return answer(accepted);
}

static void on_error(tlsmem_listener *l, int sys_errno, void *user)
{
    (void)l, (void)user;
    errors++;
    last_error = sys_errno;
}

static void listen_with(int (*on_client)(tlsmem_accepted *accepted), int connections_max)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    loop = new_loop();
    accepted_count = errors = last_error = 0;
    last_accepted = NULL;
    answer = on_client;
    options.host = "127.0.0.1";
    options.connections_max = connections_max;
    options.on_accept = on_accept;
    options.on_error = on_error;
    MUST(tlsmem_loop_listen(loop, ctx, &options, &listener) == TLSMEM_OK);
    tlsmem_ctx_free(ctx);
}

/** Runs the loop until so many clients were accepted; a client that has connected is there at once. */
static void run_until_accepted(int count)
{
    while (accepted_count < count && tlsmem_loop_run_once(loop, 1000) > 0)
        ;
}

static int keep(tlsmem_accepted *accepted)
{
    (void)accepted;
    return 0;
}

/* ---- connections that leave their listener's loop */

static void counts_what_was_taken_out(void)
{
    listen_with(keep, 1);
    int port = tlsmem_listener_port(listener);
    int fds[2] = { plain_client(port), plain_client(port) };
    MUST(fds[0] >= 0 && fds[1] >= 0);
    run_until_accepted(1);
    settle_loop(loop);
    CHECK(accepted_count == 1, "%d accepted, though one is the limit", accepted_count);
    tlsmem *first = last_accepted;
    CHECK_STATUS(tlsmem_loop_remove(loop, first), TLSMEM_OK);
    settle_loop(loop);
    CHECK(accepted_count == 2, "%d accepted after the first was taken out", accepted_count);
    tlsmem *second = last_accepted;
    tlsmem_free(first); /* counted once: there is no room for a third now */
    int third = plain_client(port);
    settle_loop(loop);
    CHECK(accepted_count == 2, "%d accepted, though one is the limit", accepted_count);
    if (second != first)
        tlsmem_free(second);
    close(fds[0]);
    close(fds[1]);
    if (third >= 0)
        close(third);
    tlsmem_loop_free(loop);
}

static void keeps_its_loop(void)
{
    listen_with(keep, 0);
    int fd = plain_client(tlsmem_listener_port(listener));
    MUST(fd >= 0);
    run_until_accepted(1);
    MUST(last_accepted != NULL && tlsmem_loop_remove(loop, last_accepted) == TLSMEM_OK);
    int before = open_descriptors();
    tlsmem_loop_free(loop);
    CHECK(open_descriptors() == before - 3, "%d descriptors were closed: epoll, eventfd and listener are three",
          before - open_descriptors());
    tlsmem_free(last_accepted);
    close(fd);
}

/* ---- what on_accept may do */

static end accepted_end, connecting;

static int adopt(tlsmem_accepted *accepted)
{
    end_adopt(&accepted_end, accepted->connection, 1);
    accepted->callbacks = &end_callbacks;
    accepted->user = &accepted_end;
    return 0;
}

static int adopt_and_close(tlsmem_accepted *accepted)
{
    tlsmem_close(accepted->connection);
    return adopt(accepted);
}

static int adopt_and_abort(tlsmem_accepted *accepted)
{
    tlsmem_abort(accepted->connection);
    CHECK(tlsmem_deadline(accepted->connection) >= 0, "there is news, and no deadline for it");
    return adopt(accepted);
}

static void ends_in_on_accept(int (*how)(tlsmem_accepted *accepted))
{
    listen_with(how, 0);
    int fd = plain_client(tlsmem_listener_port(listener));
    MUST(fd >= 0);
    run_until_accepted(1);
    settle_loop(loop);
    MUST(accepted_count == 1);
    CHECK_ENDED(accepted_end, TLSMEM_EABORTED);
    CHECK(recv(fd, (char[1]){ 0 }, 1, 0) <= 0, "the client got a byte");
    end_finish(&accepted_end);
    close(fd);
    tlsmem_loop_free(loop);
}

static void closed_in_on_accept(void) { ends_in_on_accept(adopt_and_close); }
static void aborted_in_on_accept(void) { ends_in_on_accept(adopt_and_abort); }

static int adopt_and_add(tlsmem_accepted *accepted)
{
    int added = tlsmem_loop_add(loop, accepted->connection, -1);
    CHECK(added == TLSMEM_OK || added == TLSMEM_ESTATE, "tlsmem_loop_add: %s", tlsmem_status_name(added));
    return adopt(accepted);
}

static void added_in_on_accept(void)
{
    tlsmem_ctx *ctx = context(TLSMEM_CLIENT, 0);
    listen_with(adopt_and_add, 0);
    int fd = plain_client(tlsmem_listener_port(listener));
    MUST(fd >= 0);
    end_adopt(&connecting, connection(ctx, &end_callbacks, &connecting), 0);
    connecting.fd = fd;
    tlsmem_ctx_free(ctx);
    MUST(tlsmem_loop_add(loop, connecting.c, fd) == TLSMEM_OK);
    while (!(connecting.established && accepted_end.established) && tlsmem_loop_run_once(loop, 1000) > 0)
        if (accepted_count == 1 && accepted_end.closes > 0)
            break;
    CHECK(accepted_end.closes == 0 && accepted_end.established == 1, "on_close %d times, with %s", accepted_end.closes,
          tlsmem_status_name(accepted_end.report.status));
    end_finish(&connecting);
    end_finish(&accepted_end);
    tlsmem_loop_free(loop);
}

static int answer_with_a_wrong_size(tlsmem_accepted *accepted)
{
    static tlsmem_callbacks wrong;
    wrong = end_callbacks;
    wrong.size = 8;
    accepted->callbacks = &wrong;
    return 0;
}

static void wrong_size_in_on_accept(void)
{
    listen_with(answer_with_a_wrong_size, 0);
    int fd = plain_client(tlsmem_listener_port(listener));
    MUST(fd >= 0);
    run_until_accepted(1);
    settle_loop(loop);
    CHECK(errors == 1 && last_error == EINVAL, "on_error %d times, with errno %d", errors, last_error);
    CHECK(recv(fd, (char[1]){ 0 }, 1, 0) <= 0, "the client is still connected");
    close(fd);
    tlsmem_loop_free(loop);
}

const regression listener_regressions[] = {
    { "does not accept again when a counted connection is taken out of its loop", counts_what_was_taken_out },
    { "keeps a freed loop open for a connection that was taken out of it", keeps_its_loop },
    { "never reports a connection that was closed in on_accept", closed_in_on_accept },
    { "never reports a connection that was aborted in on_accept", aborted_in_on_accept },
    { "kills a connection that on_accept has put into a loop", added_in_on_accept },
    { "frees a connection in silence when its callbacks have a wrong size", wrong_size_in_on_accept },
    { NULL, NULL }
};
