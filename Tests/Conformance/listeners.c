/*
 * Listeners: where they listen, whom they let in, how many, and which loops serve.
 */
#define _GNU_SOURCE
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

tlsmem_ctx *client_ctx, *server_ctx;
int accepted_count, errors, last_error;

/* ---- the environment: stands in front of the C library's, to see what is asked for; OpenSSL may ask for its own */

extern char **environ;
static int asked_for_others;
static char asked_for[64];

char *getenv(const char *name)
{
    size_t n = strlen(name);
    if (strncmp(name, "LISTEN_", 7) != 0 && strncmp(name, "TLSMEM_TEST_", 12) != 0
        && strncmp(name, "OPENSSL_", 8) != 0) {
        asked_for_others++;
        strncpy(asked_for, name, sizeof asked_for - 1);
    }
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, name, n) == 0 && (*entry)[n] == '=')
            return *entry + n + 1;
    return NULL;
}

/* ---- the server */

static atomic_int not_echoed;

/** In whichever thread serves: nothing is checked here, only counted. */
static void echo(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    not_echoed += tlsmem_write(c, bytes, n) != (ptrdiff_t)n;
}

static void let_go(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)report, (void)user;
    tlsmem_free(c);
}

const tlsmem_callbacks echo_callbacks = { sizeof(tlsmem_callbacks), NULL, echo, NULL, NULL, let_go };

int echo_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)user;
    accepted_count++;
    accepted->callbacks = &echo_callbacks;
    return 0;
}

void count_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    (void)listener, (void)user;
    errors++;
    last_error = sys_errno;
}

tlsmem_listen_options echo_options(void)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.host = "127.0.0.1";
    options.on_accept = echo_accept;
    options.on_error = count_error;
    accepted_count = errors = last_error = 0;
    return options;
}

tlsmem_listener *listen_in(tlsmem_loop *loop, const tlsmem_listen_options *options)
{
    tlsmem_listener *listener = NULL;
    MUST(tlsmem_loop_listen(loop, server_ctx, options, &listener) == TLSMEM_OK);
    return listener;
}

/* ---- visitors */

static void hear(tlsmem *c, const void *bytes, size_t n, void *user)
{
    visitor *v = user;
    CHECK(n == 4 && memcmp(bytes, "word", n) == 0, "%zu other bytes came back", n);
    v->answered += (int)n;
    if (!v->stays)
        tlsmem_close(c);
}

static void be_gone(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    visitor *v = user;
    v->report = *report;
    v->closes++;
    tlsmem_free(c);
}

void visit(visitor *v, tlsmem_loop *loop, int fd, int stays)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, hear, NULL, NULL, be_gone };
    MUST(fd >= 0);
    *v = (visitor) { .c = connection(client_ctx, &callbacks, v), .fd = fd, .stays = stays };
    MUST(tlsmem_own_fd(v->c, 1) == TLSMEM_OK && tlsmem_loop_add(loop, v->c, fd) == TLSMEM_OK);
    MUST(tlsmem_write(v->c, "word", 4) == 4);
}

void leave(visitor *v)
{
    v->stays = 0;
    CHECK_STATUS(tlsmem_close(v->c), TLSMEM_OK);
}

int all_served(tlsmem_loop *loop, visitor *all, int count)
{
    for (;;) {
        int served = 0, lost = 0;
        for (int i = 0; i < count; i++) {
            int done = all[i].answered == 4 && (all[i].stays || all[i].closes == 1);
            served += done;
            lost += !done && all[i].closes > 0;
        }
        if (served + lost == count || tlsmem_loop_run_once(loop, 10000) <= 0)
            return served;
    }
}

/* ---- sockets */

static int connected(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    if (connect(fd, address, length) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int tcp_client(const char *host, int port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        return connected((struct sockaddr *)&v4, sizeof v4);
    MUST(inet_pton(AF_INET6, host, &v6.sin6_addr) == 1);
    return connected((struct sockaddr *)&v6, sizeof v6);
}

int unix_client(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t n = strlen(path);
    MUST(n < sizeof address.sun_path);
    memcpy(address.sun_path, path, n);
    if (path[0] == '@')
        address.sun_path[0] = 0;
    return connected((struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@')));
}

void settle(tlsmem_loop *loop)
{
    for (int idle = 0; idle < 8;)
        idle = tlsmem_loop_run_once(loop, 0) > 0 ? 0 : idle + 1;
}

int was_closed(int fd)
{
    char byte;
    struct pollfd wanted = { fd, POLLIN, 0 };
    return poll(&wanted, 1, 10000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "--as-service") == 0)
        return as_service();
    begin("listeners");
    int descriptors = open_descriptors();
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.handshake_ms = 0; /* a hundred and fifty at once, some of them kept waiting, take their time under valgrind */
    client_ctx = context_limited(TLSMEM_CLIENT, 0, &limits);
    server_ctx = context_limited(TLSMEM_SERVER, 0, &limits);
    places();
    unix_places();
    inherited(arguments[0]);
    limits_of_listeners();
    handovers();
    handovers_in_threads();
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    situation("the process, after all of this");
    CHECK(open_descriptors() == descriptors, "%d descriptors open, %d at the beginning", open_descriptors(), descriptors);
    CHECK(not_echoed == 0, "%d echoes were not taken", (int)not_echoed);
    CHECK(asked_for_others == 0, "the environment was asked %d times for something else, %s", asked_for_others,
          asked_for);
    return finish();
}
