/*
 * Whom a listener lets in, how many at once, and what each of them gets; and what happens when descriptors run out.
 */
#define _GNU_SOURCE
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 40 };

static void turns(void)
{
    struct { int asked, expected; } all[] = { { 0, 16 }, { 1, 1 }, { 3, 3 }, { MANY, MANY }, { 2147483647, MANY } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tlsmem_loop *loop = tlsmem_loop_new();
        tlsmem_listen_options options = echo_options();
        int fds[MANY], before = 0, most = 0;
        situation("accepts_per_turn %d", all[i].asked);
        options.accepts_per_turn = all[i].asked;
        int port = tlsmem_listener_port(listen_in(loop, &options));
        for (int n = 0; n < MANY; n++)
            MUST((fds[n] = tcp_client("127.0.0.1", port)) >= 0);
        while (tlsmem_loop_run_once(loop, 0) > 0 && accepted_count > before) {
            most = accepted_count - before > most ? accepted_count - before : most;
            before = accepted_count;
        }
        CHECK(most == all[i].expected, "%d in one turn", most);
        settle(loop);
        CHECK(accepted_count == MANY, "%d accepted", accepted_count);
        for (int n = 0; n < MANY; n++)
            close(fds[n]);
        tlsmem_loop_free(loop);
    }
}

static void options_out_of_range(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options good = echo_options(), bad;
    static const size_t sizes[] = { 1048577, (size_t)PTRDIFF_MAX, SIZE_MAX, (size_t)1 << 40 };
    situation("options out of range");
    for (int i = 0; i < 4; i++) {
        bad = good;
        bad.user_size = sizes[i];
        CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &bad, NULL), TLSMEM_EINVAL);
    }
    static const int negative[] = { -1, -2147483647 - 1 };
    for (int i = 0; i < 2; i++) {
        bad = good;
        bad.accepts_per_turn = negative[i];
        CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &bad, NULL), TLSMEM_EINVAL);
        bad = good;
        bad.host = NULL;
        bad.fd = negative[i] - (i == 0); /* -1 is none */
        CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &bad, NULL), TLSMEM_EINVAL);
    }
    tlsmem_loop_free(loop);
}

/* ---- the filter */

static int filtered, verdict, frees_listener;

static int filter(tlsmem_listener *listener, const struct sockaddr *peer, socklen_t n, void *user)
{
    CHECK(user == &filtered && n == sizeof(struct sockaddr_in) && peer->sa_family == AF_INET
          && ((const struct sockaddr_in *)peer)->sin_addr.s_addr == htonl(INADDR_LOOPBACK), "%u bytes of family %d",
          (unsigned)n, peer->sa_family);
    CHECK(tlsmem_listener_port(listener) > 0, "another listener");
    filtered++;
    if (frees_listener)
        tlsmem_listener_free(listener);
    return verdict;
}

static void filters(void)
{
    for (int i = 0; i < 4; i++) {
        tlsmem_loop *loop = tlsmem_loop_new();
        tlsmem_listen_options options = echo_options();
        verdict = i % 2 == 0 ? 0 : -1;
        frees_listener = i / 2;
        filtered = 0;
        situation("a filter that answers %d%s", verdict, frees_listener ? " and frees the listener" : "");
        options.on_filter = filter;
        options.user = &filtered;
        options.connections_max = 1; /* the refused do not count */
        int port = tlsmem_listener_port(listen_in(loop, &options));
        int fds[3];
        for (int n = 0; n < 3; n++)
            MUST((fds[n] = tcp_client("127.0.0.1", port)) >= 0);
        settle(loop);
        int let_in = verdict == 0 && !frees_listener;
        CHECK(filtered == (let_in || frees_listener ? 1 : 3), "asked %d times", filtered);
        CHECK(accepted_count == let_in, "%d accepted", accepted_count);
        for (int n = 0; n < 3; n++) {
            CHECK(let_in || was_closed(fds[n]), "the client is still connected");
            close(fds[n]);
        }
        tlsmem_loop_free(loop);
    }
}

/* ---- memory of the program's for each connection */

enum { MEMORY = 1048576, GUESTS = 3 };
static unsigned char *memories[GUESTS];
static int own_user, good_memories, after_free;

static void free_and_look(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    unsigned char *memory = user;
    (void)report;
    CHECK(memory[0] == 'x' && memory[MEMORY - 1] == 'y', "the memory was changed");
    tlsmem_free(c);
    after_free += memory[0] == 'x'; /* there until the callback has returned */
}

static int take_memory(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static tlsmem_callbacks callbacks;
    unsigned char *memory = accepted->user;
    CHECK(memory != NULL && tlsmem_user(accepted->connection) == memory, "no memory, or another");
    CHECK(user == NULL, "another user");
    int zero = 1;
    for (int i = 0; i < MEMORY; i++)
        zero &= memory[i] == 0;
    CHECK(zero, "not zeroed");
    for (int i = 1; i < accepted_count; i++) /* the first one's has been freed */
        CHECK(memories[i] != memory, "shared");
    memory[0] = 'x';
    memory[MEMORY - 1] = 'y';
    memories[accepted_count] = memory;
    echo_accept(listener, accepted, user);
    if (accepted_count == 1)
        return 1; /* refused: the memory goes too */
    if (accepted_count == 2) {
        accepted->user = &own_user; /* the memory is kept all the same, and freed */
        return 0;
    }
    callbacks = echo_callbacks;
    callbacks.on_close = free_and_look;
    accepted->callbacks = &callbacks;
    good_memories++;
    return 0;
}

static void memory_for_each(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options options = echo_options();
    visitor v[GUESTS];
    situation("memory for each connection");
    options.on_accept = take_memory;
    options.user_size = MEMORY;
    good_memories = after_free = 0;
    int port = tlsmem_listener_port(listen_in(loop, &options));
    for (int i = 0; i < GUESTS; i++) {
        visit(&v[i], loop, tcp_client("127.0.0.1", port), 1);
        CHECK(all_served(loop, &v[i], 1) == (i > 0), "guest %d", i);
    }
    leave(&v[1]);
    leave(&v[2]);
    settle(loop);
    CHECK(good_memories == 1 && after_free == 1, "%d had memory, %d after tlsmem_free", good_memories, after_free);
    visit(&v[0], loop, tcp_client("127.0.0.1", port), 1); /* and one that is there at the loop's end */
    accepted_count = 2;
    memories[1] = NULL;
    CHECK(all_served(loop, v, 1) == 1, "the last guest");
    tlsmem_loop_free(loop);
    CHECK(after_free == 2, "the last one was not freed");
}

/* ---- no descriptors left */

static void settle_both(tlsmem_loop *one, tlsmem_loop *other)
{
    for (int idle = 0; idle < 8;) {
        int happened = tlsmem_loop_run_once(one, 0) + tlsmem_loop_run_once(other, 0);
        idle = happened > 0 ? 0 : idle + 1;
    }
}

static void no_descriptors(void)
{
    enum { CLIENTS = 6, SEATS = 2 };
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options options = echo_options();
    struct rlimit before, low;
    visitor v[CLIENTS];
    situation("no descriptors are left, and a connection goes");
    tlsmem_loop *clients = tlsmem_loop_new();
    int port = tlsmem_listener_port(listen_in(loop, &options));
    for (int i = 0; i < CLIENTS; i++) {
        visit(&v[i], clients, tcp_client("127.0.0.1", port), 1);
        MUST(tlsmem_own_fd(v[i].c, 0) == TLSMEM_OK); /* what a client gives back would be the server's */
    }
    int highest = dup(0);
    close(highest);
    MUST(getrlimit(RLIMIT_NOFILE, &before) == 0);
    low = before;
    low.rlim_cur = (rlim_t)(highest + SEATS); /* numbers below that are taken, but for so many */
    MUST(setrlimit(RLIMIT_NOFILE, &low) == 0);
    settle_both(loop, clients);
    CHECK(accepted_count == SEATS && errors == 1 && last_error == EMFILE, "%d accepted, %d errors, the last is %d",
          accepted_count, errors, last_error);
    CHECK(tlsmem_loop_timeout(loop) > 0, "it does not wait");
    for (int left = 0; left < CLIENTS; left++) {
        CHECK(v[left].answered == 4, "client %d is not served at once", left);
        leave(&v[left]);
        settle_both(loop, clients);
        CHECK(v[left].closes == 1, "client %d has not left", left);
    }
    CHECK(accepted_count == CLIENTS, "%d accepted", accepted_count);
    MUST(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int i = 0; i < CLIENTS; i++)
        close(v[i].fd);
    tlsmem_loop_free(loop);
    tlsmem_loop_free(clients);
}

void limits_of_listeners(void)
{
    turns();
    options_out_of_range();
    filters();
    memory_for_each();
    if (!short_run()) /* valgrind plays the limit itself: it accepts one more, and closes it */
        no_descriptors();
}
