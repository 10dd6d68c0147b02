/*
 * Where a listener listens: ports of IPv4 and IPv6, a socket of the program's, one of a service manager's.
 */
#define _GNU_SOURCE
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int has_ipv6(void)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/** Whether a client at this address of the machine is served by a listener in the loop. */
static int serves(tlsmem_loop *loop, const char *host, int port)
{
    visitor v;
    int fd = tcp_client(host, port);
    if (fd < 0)
        return 0;
    visit(&v, loop, fd, 0);
    return all_served(loop, &v, 1);
}

static void addresses(void)
{
    struct { const char *host; int ipv6_only, v4, v6; } all[] = {
        { "127.0.0.1", 0, 1, 0 }, { "127.0.0.1", 1, 1, 0 }, { "0.0.0.0", 0, 1, 0 },
        { "::1", 0, 0, 1 }, { "::1", 1, 0, 1 }, { "::", 0, 1, 1 }, { "::", 1, 0, 1 }, { NULL, 0, 1, 1 }, { NULL, 1, 0, 1 },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        situation("host %s%s", all[i].host != NULL ? all[i].host : "NULL", all[i].ipv6_only ? ", ipv6_only" : "");
        if (all[i].v6 && !has_ipv6()) {
            puts("listeners: no IPv6 here");
            continue;
        }
        tlsmem_loop *loop = tlsmem_loop_new();
        tlsmem_listen_options options = echo_options();
        options.host = all[i].host;
        options.ipv6_only = all[i].ipv6_only;
        int port = tlsmem_listener_port(listen_in(loop, &options));
        CHECK(port > 0, "port %d", port);
        CHECK(serves(loop, "127.0.0.1", port) == all[i].v4, "IPv4 is %sserved", all[i].v4 ? "not " : "");
        CHECK(!has_ipv6() || serves(loop, "::1", port) == all[i].v6, "IPv6 is %sserved", all[i].v6 ? "not " : "");
        if (all[i].ipv6_only && all[i].v6) { /* so that the port of IPv4 is another's */
            options.host = "0.0.0.0";
            options.port = port;
            options.ipv6_only = 0;
            CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_OK);
            CHECK(serves(loop, "127.0.0.1", port) == 1, "IPv4 is not served beside it");
        }
        tlsmem_loop_free(loop);
    }
}

/* ---- a socket of the program's */

static int listening_socket(int type, int backlog)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(backlog == 0 || listen(fd, backlog) == 0);
    return fd;
}

static void sockets_of_the_programs(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options options = echo_options();
    tlsmem_listener *listener;
    options.host = NULL;
    options.fd = listening_socket(SOCK_STREAM, 16);
    situation("a listening socket of the program's");
    listener = listen_in(loop, &options);
    CHECK((fcntl(options.fd, F_GETFL) & O_NONBLOCK) != 0, "it blocks");
    CHECK(serves(loop, "127.0.0.1", tlsmem_listener_port(listener)), "not served");
    int port = tlsmem_listener_port(listener);
    tlsmem_listener_free(listener);
    int client = tcp_client("127.0.0.1", port), accepted = accept(options.fd, NULL, NULL);
    CHECK(client >= 0 && accepted >= 0, "it listens no more when the listener was freed");
    close(accepted);
    close(client);
    CHECK(serves(loop, "127.0.0.1", tlsmem_listener_port(listen_in(loop, &options))), "not served a second time");
    tlsmem_loop_free(loop);
    CHECK(fcntl(options.fd, F_GETFD) != -1, "it was closed with the loop");
    close(options.fd);
}

static void no_listening_sockets(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    int pair[2], closed = fcntl(1, F_DUPFD_CLOEXEC, 500), before = open_descriptors() - 1;
    close(closed);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    struct { const char *what; int fd, error; } all[] = {
        { "a file", open("/dev/null", O_RDONLY | O_CLOEXEC), ENOTSOCK }, { "closed", closed, EBADF },
        { "not listening", listening_socket(SOCK_STREAM, 0), EINVAL }, { "connected", pair[0], EINVAL },
        { "of datagrams", listening_socket(SOCK_DGRAM, 0), EOPNOTSUPP },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tlsmem_listen_options options = echo_options();
        situation("a socket of the program's that is %s", all[i].what);
        options.host = NULL;
        options.fd = all[i].fd;
        errno = 0;
        CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_ESYSTEM);
        CHECK(errno == all[i].error, "errno %d, expected %d", errno, all[i].error);
        if (all[i].fd != closed && all[i].fd != pair[0]) {
            CHECK((fcntl(all[i].fd, F_GETFL) & O_NONBLOCK) == 0, "it was changed");
            close(all[i].fd);
        }
    }
    close(pair[0]);
    close(pair[1]);
    tlsmem_loop_free(loop);
    CHECK(open_descriptors() == before - 2, "%d descriptors, %d before", open_descriptors(), before);
}

static void contradictions(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options good = echo_options();
    good.host = NULL;
    enum { HOST = 1, PORT = 2, REUSE = 4, V6 = 8, PATH = 16, FD = 32, BACKLOG = 64 };
    int fd = listening_socket(SOCK_STREAM, 16);
    situation("contradictory options");
    for (int what = 0; what < 128; what++) {
        int path_and_more = (what & PATH) && (what & (HOST | PORT | REUSE | V6 | FD));
        int fd_and_more = (what & FD) && what != FD;
        if (!path_and_more && !fd_and_more)
            continue;
        tlsmem_listen_options bad = good;
        bad.host = what & HOST ? "127.0.0.1" : NULL;
        bad.port = what & PORT ? 1 : 0;
        bad.reuse_port = (what & REUSE) != 0;
        bad.ipv6_only = (what & V6) != 0;
        bad.path = what & PATH ? "@tlsmem-never" : NULL;
        bad.fd = what & FD ? fd : -1;
        bad.backlog = what & BACKLOG ? 5 : 0;
        CHECK(tlsmem_loop_listen(loop, server_ctx, &bad, NULL) == TLSMEM_EINVAL, "host, port and so on: %#x", what);
    }
    close(fd);
    tlsmem_loop_free(loop);
}

void places(void)
{
    addresses();
    sockets_of_the_programs();
    no_listening_sockets();
    contradictions();
}

/* ---- sockets of a service manager's */

/** In the program that was started with two of them: what tlsmem_inherited_fd answers, and one client for each. */
int as_service(void)
{
    static const char *const not_ours[] = { "1", "0", "-1", "", "x", "99999999999999999999", NULL };
    char pid[24];
    int fds[2] = { tlsmem_inherited_fd(0), tlsmem_inherited_fd(1) };
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    for (int i = 0; i < 2; i++)
        if (fds[i] != 3 + i || (fcntl(fds[i], F_GETFD) & FD_CLOEXEC) == 0)
            return 10;
    if (tlsmem_inherited_fd(2) != TLSMEM_AGAIN || tlsmem_inherited_fd(2147483647) != TLSMEM_AGAIN
        || tlsmem_inherited_fd(-1) != TLSMEM_EINVAL)
        return 11;
    for (int i = 0; not_ours[i] != NULL; i++)
        if (setenv("LISTEN_PID", not_ours[i], 1) != 0 || tlsmem_inherited_fd(0) != TLSMEM_AGAIN)
            return 12;
    unsetenv("LISTEN_PID");
    if (tlsmem_inherited_fd(0) != TLSMEM_AGAIN || setenv("LISTEN_PID", pid, 1) != 0 || tlsmem_inherited_fd(0) != 3)
        return 13;
    for (int i = 1; not_ours[i] != NULL; i++)
        if (setenv("LISTEN_FDS", not_ours[i], 1) != 0 || tlsmem_inherited_fd(0) != TLSMEM_AGAIN)
            return 14;
    setenv("LISTEN_FDS", "2147483647", 1);
    if (tlsmem_inherited_fd(2147483646) != TLSMEM_AGAIN || tlsmem_inherited_fd(1000) != TLSMEM_AGAIN)
        return 15;
    server_ctx = context(TLSMEM_SERVER, 0);
    tlsmem_loop *loop = tlsmem_loop_new();
    for (int i = 0; i < 2; i++) {
        tlsmem_listen_options options = echo_options();
        options.host = NULL;
        options.fd = fds[i];
        listen_in(loop, &options);
    }
    alarm(60);
    while (tlsmem_loop_run_once(loop, -1) >= 0)
        ; /* until it is killed */
    return 16;
}

/** Starts the program as a service manager would: the sockets are 3 and 4, and it finds its own number in LISTEN_PID. */
static pid_t start_service(const char *program, int one, int other)
{
    fflush(stdout);
    pid_t child = fork();
    MUST(child >= 0);
    if (child > 0)
        return child;
    char pid[24];
    int high[2] = { fcntl(one, F_DUPFD, 100), fcntl(other, F_DUPFD, 100) };
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (dup2(high[0], 3) == 3 && dup2(high[1], 4) == 4 && setenv("LISTEN_PID", pid, 1) == 0
        && setenv("LISTEN_FDS", "2", 1) == 0)
        execl(program, program, "--as-service", (char *)NULL);
    _exit(99);
}

void inherited(const char *program)
{
    situation("sockets of a service manager's");
    CHECK_STATUS(tlsmem_inherited_fd(0), TLSMEM_AGAIN); /* nobody has passed any to this process */
    CHECK_STATUS(tlsmem_inherited_fd(-1), TLSMEM_EINVAL);
    tlsmem_loop *loop = tlsmem_loop_new();
    int sockets[2], status = 0;
    visitor v[2];
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        sockets[i] = listening_socket(SOCK_STREAM, 16);
        MUST(getsockname(sockets[i], (struct sockaddr *)&address, &length) == 0);
        visit(&v[i], loop, tcp_client("127.0.0.1", ntohs(address.sin_port)), 0);
    }
    pid_t child = start_service(program, sockets[0], sockets[1]);
    close(sockets[0]); /* now a child that has ended shows as a reset */
    close(sockets[1]);
    CHECK(all_served(loop, v, 2) == 2, "not both clients were served");
    kill(child, SIGKILL);
    MUST(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status), "the service ended with %d", WEXITSTATUS(status));
    tlsmem_loop_free(loop);
}
