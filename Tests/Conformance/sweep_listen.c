/*
 * Listeners at every kind of place, which are refused and asked for again: TCP on every address and on one, a Unix socket
 * with a dead one in its way, and a socket that was inherited. A client comes to each, and is sent away.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVERYWHERE, HERE, AT_A_PATH, INHERITED, PLACES };
enum { FIRST_INHERITED = 3 };

static char folder[64], path[96];
static int came, lost; /* clients that on_accept has seen, and those for whom there was no memory */

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    came++;
    return 1;
}

static void on_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    (void)listener, (void)user;
    CHECK(sys_errno > 0 && faulty_happened(), "on_error with %d", sys_errno);
    lost += sys_errno == ENOMEM && faulty_armed() == FAULTY_OPENSSL;
}

static int tcp_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0);
    return fd;
}

static struct sockaddr_un address_of_path(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(address.sun_path, path);
    return address;
}

/** A dead socket in the way. */
static void die_there(void)
{
    struct sockaddr_un address = address_of_path();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && close(fd) == 0);
}

/** What a service manager hands over. */
static int hand_over(int *port)
{
    struct sockaddr_in address = { 0 };
    socklen_t length = sizeof address;
    char text[16];
    int fd = tcp_socket(&address);
    MUST(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 5) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    snprintf(text, sizeof text, "%d", fd - FIRST_INHERITED + 1);
    setenv("LISTEN_FDS", text, 1);
    *port = ntohs(address.sin_port);
    return fd;
}

static int visit(int place, int port)
{
    if (place == AT_A_PATH) {
        struct sockaddr_un local = address_of_path();
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&local, sizeof local) == 0, "nobody is there: %s", strerror(errno));
        return fd;
    }
    struct sockaddr_in address = { .sin_port = htons((uint16_t)port) };
    int fd = tcp_socket(&address);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS, "nobody is there");
    return fd;
}

/** Turns until everybody came who could. */
static void turn_until(int expected)
{
    for (int turns = 0; came + lost < expected && turns < 100; turns++) {
        struct pollfd ready = { tlsmem_loop_fd(loops[0]), POLLIN, 0 };
        int timeout = tlsmem_loop_timeout(loops[0]);
        if (poll(&ready, 1, timeout < 0 || timeout > 20 ? 20 : timeout) == 0 && timeout > 0)
            sweep_leap(timeout);
        CHECK(tlsmem_loop_run_once(loops[0], 0) >= 0, "tlsmem_loop_run_once fails");
    }
    CHECK(came + lost == expected, "%d of %d clients came", came, expected);
    CHECK(lost == 0 || (!sweep_is_clean() && (lost == 1 || sweep_lasts())), "%d were lost", lost);
}

static void listen_everywhere(tlsmem_ctx *ctx, int inherited, int inherited_port)
{
    tlsmem_listener *listeners[PLACES] = { NULL };
    int visitors[PLACES], count = 0;
    for (int place = 0; place < PLACES; place++) {
        tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
        options.on_accept = on_accept;
        options.on_error = on_error;
        options.host = place == HERE ? "127.0.0.1" : NULL;
        options.reuse_port = place == HERE;
        options.path = place == AT_A_PATH ? path : NULL;
        options.fd = place == INHERITED ? inherited : -1;
        if (!TRY(tlsmem_loop_listen(loops[0], ctx, &options, &listeners[place])))
            continue;
        int port = tlsmem_listener_port(listeners[place]);
        CHECK((port > 0) == (place != AT_A_PATH), "port %d", port);
        visitors[count++] = visit(place, place == INHERITED ? inherited_port : port);
    }
    turn_until(count);
    for (int place = 0; place < PLACES; place++)
        tlsmem_listener_free(listeners[place]);
    while (count > 0)
        close(visitors[--count]);
}

static void play(void)
{
    int port, fd = hand_over(&port), index = fd - FIRST_INHERITED;
    came = lost = 0;
    strcpy(folder, "/tmp/tlsmem-XXXXXX");
    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/socket", folder);
    die_there();
    int inherited = tlsmem_inherited_fd(index);
    if (inherited == TLSMEM_AGAIN && sweep_excuses(TLSMEM_AGAIN))
        inherited = tlsmem_inherited_fd(index);
    CHECK(inherited == fd, "%d for the descriptor %d", inherited, fd);
    faulty_pause(1);
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, 0);
    faulty_pause(0);
    if (sweep_open())
        listen_everywhere(ctx, fd, port);
    sweep_close();
    tlsmem_ctx_free(ctx);
    close(fd);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    CHECK(access(path, F_OK) != 0 || !sweep_is_clean(), "the socket is left behind");
    unlink(path);
    MUST(rmdir(folder) == 0);
}

const scene listen_scene = { "listen", play };
