/*
 * A busy program, run once to count its system calls, and then again and again with the i-th of them failing: every
 * recv, send, accept4 and epoll_ctl, in every way that they can fail.
 *
 * In the scene, a server in a loop greets two clients, one in the same loop and one with a loop of its own; 300,000
 * bytes go each way, and everybody closes. Whatever fails: every connection ends once, with a documented status; what
 * was delivered is a prefix of what was accepted, and all of it where the fault is none that ends a connection; the
 * other connection does not notice; no descriptor is lost. SWEEP_MOST bounds how many calls of a kind are tried with
 * each fault (evenly spread).
 */
#define _GNU_SOURCE
#include "end.h"
#include "faulty_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

enum { BYTES = 300000, OWN = 0, IN_LOOP = 1 };

static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *loop;
static end clients[2], served[2]; /* served[i] is what the server has for clients[i] */
static int client_fds[2], served_fds[2];
static int refused_by_loop;       /* tlsmem_loop_add failed for clients[IN_LOOP] */
static int errors_of_listener;

/** Frees in on_close, as programs do. */
static void free_at_close(end *e, event what)
{
    if (what == EVENT_CLOSE)
        end_free_connection(e);
}

static int port_of(const struct sockaddr *address)
{
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/** Greets, on whichever of the two connections this is. */
static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    unsigned char greeting[4];
    (void)listener, (void)user;
    MUST(getsockname(client_fds[OWN], (struct sockaddr *)&address, &length) == 0);
    int which = client_fds[OWN] >= 0 && port_of(accepted->peer) == ntohs(address.sin_port) ? OWN : IN_LOOP;
    end *e = &served[which];
    end_adopt(e, accepted->connection, 1);
    served_fds[which] = accepted->fd;
    e->hook = free_at_close;
    e->to_send = BYTES;
    e->close_on_eof = 1;
    accepted->callbacks = &end_callbacks;
    accepted->user = e;
    pattern_fill(greeting, 1, 0, sizeof greeting);
    CHECK_STATUS(tlsmem_write(e->c, greeting, sizeof greeting), sizeof greeting);
    e->sent = sizeof greeting;
    return 0;
}

static void on_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    (void)listener, (void)user;
    CHECK(sys_errno > 0, "on_error with %d", sys_errno);
    errors_of_listener++;
}

static void open_client(int which, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    end *e = &clients[which];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), send_buffer = 8192;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) == 0);
    MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS);
    end_adopt(e, NULL, 0);
    e->c = connection(client_ctx, &end_callbacks, e);
    e->fd = client_fds[which] = fd;
    e->to_send = e->to_receive = BYTES;
    e->close_when_done = 1;
    if (which == OWN) {
        e->face = FACE_FD;
        MUST(tlsmem_set_fd(e->c, fd) == TLSMEM_OK);
        return;
    }
    e->face = FACE_REGISTRY;
    e->loop = loop;
    int status = tlsmem_loop_add(loop, e->c, fd);
    CHECK(status == TLSMEM_OK || status == TLSMEM_ESYSTEM, "tlsmem_loop_add: %s", tlsmem_status_name(status));
    if (status != TLSMEM_OK) {
        refused_by_loop = 1;
        end_finish(e);
    }
}

/** Whether an end has ended, or never began. */
static int done(const end *e)
{
    return e->closes > 0 || e->freed || e->c == NULL;
}

/** One turn of both loops and all programs. Returns 0 when nothing happens any more. */
static int turn(void)
{
    end *own = &clients[OWN];
    for (int i = 0; i < 2; i++) {
        if (clients[i].c != NULL || clients[i].freed)
            end_step(&clients[i]);
        if (served[i].c != NULL)
            end_step(&served[i]);
    }
    struct pollfd wanted[2] = { { tlsmem_loop_fd(loop), POLLIN, 0 }, { -1, 0, 0 } };
    int timeout = tlsmem_loop_timeout(loop);
    if (!done(own)) {
        wanted[1].fd = own->fd;
        wanted[1].events = (short)tlsmem_interest(own->c);
    }
    int ready = poll(wanted, 2, timeout < 0 || timeout > 8000 ? 8000 : timeout);
    if (ready == 0 && timeout < 0)
        return 0;
    IGNORE(tlsmem_loop_run_once(loop, 0) < 0);
    end_drive(own);
    return 1;
}

static int all_done(void)
{
    for (int i = 0; i < 2; i++)
        if (!done(&clients[i]) || !done(&served[i]))
            return 0;
    return 1;
}

/** A fault after which everything goes on as if nothing had been. */
static int is_harmless(faulty_call call, int fault)
{
    return fault == 0 || fault == EAGAIN || fault == EINTR || fault == FAULTY_SHORT || call == FAULTY_ACCEPT;
}

static void judge(faulty_call call, int fault)
{
    for (int i = 0; i < 2; i++) {
        const end *c = &clients[i], *s = &served[i];
        int hit = faulty_happened() && !is_harmless(call, fault)
                  && (faulty_fd() == client_fds[i] || faulty_fd() == served_fds[i]);
        if (i == IN_LOOP && refused_by_loop) {
            CHECK(s->c == NULL && (s->closes == 1 || s->sent == 0), "on_close %d times", s->closes);
            continue;
        }
        CHECK(c->closes == 1, "client %d had %d on_close", i, c->closes);
        CHECK(s->closes == 1 || (hit && s->sent == 0), "what serves client %d had %d on_close", i, s->closes);
        CHECK(c->wrong == 0 && s->wrong == 0, "%d and %d wrong bytes or callbacks", c->wrong, s->wrong);
        CHECK(c->received <= s->sent && s->received <= c->sent, "more was received than sent");
        const int ends_with[] = { c->report.status, s->report.status };
        for (int side = 0; side < 2; side++) {
            int status = ends_with[side];
            CHECK(status == TLSMEM_OK || (hit && (status == TLSMEM_ERESET || status == TLSMEM_ETRUNCATED
                  || status == TLSMEM_EHANDSHAKEEOF || status == TLSMEM_ESYSTEM)), "%s of pair %d ended with %s",
                  side == 0 ? "client" : "server", i, tlsmem_status_name(status));
        }
        CHECK(hit || (c->received == BYTES && s->received == BYTES), "pair %d: received %llu and %llu", i,
              (unsigned long long)c->received, (unsigned long long)s->received);
    }
}

/** Plays the scene. Returns 0 when a fault was let through before there was anything to play. */
static int play(void)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    refused_by_loop = errors_of_listener = 0;
    for (int i = 0; i < 2; i++) {
        end_adopt(&clients[i], NULL, 0);
        end_adopt(&served[i], NULL, 0);
        client_fds[i] = served_fds[i] = -1;
    }
    loop = new_loop();
    CHECK(loop != NULL || faulty_happened(), "no loop");
    if (loop == NULL)
        return 0;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    options.on_error = on_error;
    int status = tlsmem_loop_listen(loop, server_ctx, &options, &listener);
    CHECK(status == TLSMEM_OK || (status == TLSMEM_ESYSTEM && faulty_happened()), "tlsmem_loop_listen: %s",
          tlsmem_status_name(status));
    if (status == TLSMEM_OK) {
        open_client(OWN, tlsmem_listener_port(listener));
        open_client(IN_LOOP, tlsmem_listener_port(listener));
        int turns = 0;
        while (!all_done() && turns < 20000 && turn())
            turns++;
        CHECK(all_done() || faulty_happened(), "stalled after %d turns", turns);
        CHECK(turns < 20000, "it does not end");
    }
    tlsmem_listener_free(listener);
    return status == TLSMEM_OK;
}

static void end_play(void)
{
    for (int i = 0; i < 2; i++)
        if (clients[i].c != NULL || clients[i].fd >= 0)
            end_finish(&clients[i]);
    tlsmem_loop_free(loop);
    loop = NULL;
}

static void run(faulty_call call, long i, int fault)
{
    int descriptors = open_descriptors();
    situation("call %ld of %s: %s", i, faulty_names[call], fault > 0 ? strerrorname_np(fault)
              : fault == FAULTY_SHORT ? "one byte" : fault == FAULTY_END ? "end of file" : "no fault");
    faulty_arm(call, i, fault);
    if (play())
        judge(call, fault);
    end_play();
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
}

int main(void)
{
    static const struct { faulty_call call; int fault; } sweep[] = {
        { FAULTY_RECV, EAGAIN }, { FAULTY_RECV, EINTR }, { FAULTY_RECV, FAULTY_SHORT }, { FAULTY_RECV, ECONNRESET },
        { FAULTY_RECV, FAULTY_END }, { FAULTY_SEND, EAGAIN }, { FAULTY_SEND, EINTR }, { FAULTY_SEND, FAULTY_SHORT },
        { FAULTY_SEND, ECONNRESET }, { FAULTY_SEND, EPIPE }, { FAULTY_ACCEPT, EAGAIN }, { FAULTY_ACCEPT, EINTR },
        { FAULTY_ACCEPT, ECONNABORTED }, { FAULTY_EPOLL_CTL, ENOMEM }, { FAULTY_EPOLL_CTL, ENOSPC },
    };
    long most = setting("SWEEP_MOST", 150), counts[FAULTY_CALLS], runs = 0, happened = 0;
    begin("sweep");
    client_ctx = context(TLSMEM_CLIENT, 0);
    server_ctx = context(TLSMEM_SERVER, 0);
    run(FAULTY_RECV, 0, 0);
    for (int call = 0; call < FAULTY_CALLS; call++)
        counts[call] = faulty_count((faulty_call)call);
    printf("sweep: a clean run makes %ld recv, %ld send, %ld accept4, %ld epoll_ctl\n", counts[FAULTY_RECV],
           counts[FAULTY_SEND], counts[FAULTY_ACCEPT], counts[FAULTY_EPOLL_CTL]);
    CHECK(counts[FAULTY_RECV] > 10 && counts[FAULTY_SEND] > 10 && counts[FAULTY_ACCEPT] >= 2
          && counts[FAULTY_EPOLL_CTL] >= 4, "the calls do not come through here");
    for (size_t each = 0; each < sizeof sweep / sizeof *sweep; each++) {
        /* A kernel that says "not now" without being full, and so without an edge to come, would not be one. */
        if (sweep[each].fault == EAGAIN && setting("TLSMEM_TEST_EDGE", 0) != 0)
            continue;
        long calls = counts[sweep[each].call], tries = calls < most ? calls : most;
        for (long t = 0; t < tries; t++, runs++) {
            run(sweep[each].call, 1 + t * calls / tries, sweep[each].fault);
            happened += faulty_happened();
        }
    }
    /* Without descriptors accepting pauses for a second, which this waits for, once. */
    run(FAULTY_ACCEPT, 1, EMFILE);
    CHECK(errors_of_listener == 1, "on_error %d times", errors_of_listener);
    printf("sweep: %ld runs with a fault\n", happened + 1);
    /* The kernel cuts TCP a little differently each time: the last calls of a run may not come in the next. */
    CHECK(happened >= runs * 8 / 10, "only %ld of %ld faults happened", happened, runs);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return finish();
}
