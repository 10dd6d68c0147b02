/* A loop that the child has a copy of, with all that is in it: freed there, and of no other use. */
#define _GNU_SOURCE
#include "forks.h"
#include "resolver.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static tlsmem_loop *parents;
static tlsmem_listener *listener, *unix_listener;
static tlsmem_timer *timer;
static int accepted, ticks;

static int refuse(tlsmem_listener *from, tlsmem_accepted *who, void *user)
{
    (void)from, (void)who, (void)user;
    accepted++;
    return -1;
}

static void tick(tlsmem_timer *which, void *user)
{
    (void)which, (void)user;
    ticks++;
}

static void ignore_event(tlsmem_loop *loop, int fd, int events, void *user)
{
    (void)loop, (void)fd, (void)events, (void)user;
}

/** To the child it is as a loop that is being freed. */
static void use_and_free_loop(void)
{
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_listener *another = NULL;
    tlsmem *c = connection(client_ctx, NULL, NULL);
    int ends[2];
    to.host = "127.0.0.1", to.port = 1;
    options.on_accept = refuse;
    HOLDS(pipe(ends) == 0);
    HOLDS_STATUS(tlsmem_loop_run(parents), TLSMEM_ESTATE);
    HOLDS_STATUS(tlsmem_loop_run_once(parents, 0), TLSMEM_ESTATE);
    HOLDS_STATUS(tlsmem_loop_add(parents, c, ends[0]), TLSMEM_ESTATE);
    HOLDS_STATUS(tlsmem_loop_connect(parents, c, &to), TLSMEM_ESTATE);
    HOLDS_STATUS(tlsmem_loop_watch(parents, ends[0], POLLIN, ignore_event, NULL), TLSMEM_ESTATE);
    HOLDS_STATUS(tlsmem_loop_listen(parents, server_ctx, &options, &another), TLSMEM_ESTATE);
    HOLDS(tlsmem_loop_timer(parents, 0, tick, NULL) == NULL && another == NULL);
    tlsmem_timer_free(timer);
    tlsmem_listener_free(listener);
    tlsmem_loop_free(parents); /* and the other listener with it */
    tlsmem_free(c);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    HOLDS(accepted == 0 && ticks == 0);
}

static int knock(const struct sockaddr *at, socklen_t length)
{
    int fd = socket(at->sa_family, SOCK_STREAM, 0);
    MUST(fd >= 0);
    CHECK(connect(fd, at, length) == 0, "nobody listens any more: %s", strerror(errno));
    return fd;
}

void loops_of_the_parent(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct sockaddr_in port = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct stat file;
    situation("a loop with listeners, timers and watches that a child frees");
    snprintf(at.sun_path, sizeof at.sun_path, "%s/tlsmem-forks-%d", P_tmpdir, (int)getpid());
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.host = "127.0.0.1";
    options.on_accept = refuse;
    parents = new_loop();
    MUST(tlsmem_loop_listen(parents, server_ctx, &options, &listener) == TLSMEM_OK);
    options.host = NULL;
    options.path = at.sun_path;
    MUST(tlsmem_loop_listen(parents, server_ctx, &options, &unix_listener) == TLSMEM_OK);
    MUST((timer = tlsmem_loop_timer(parents, 1, tick, NULL)) != NULL);
    port.sin_port = htons((uint16_t)tlsmem_listener_port(listener));
    in_child(use_and_free_loop);
    CHECK(stat(at.sun_path, &file) == 0, "the child has removed the file of the socket");
    int fds[2] = { knock((struct sockaddr *)&at, sizeof at), knock((struct sockaddr *)&port, sizeof port) };
    for (int turns = 0; turns < 100 && (accepted < 2 || ticks < 1); turns++)
        MUST(tlsmem_loop_run_once(parents, 100) >= 0);
    CHECK(accepted == 2 && ticks == 1, "%d were accepted, the timer fired %d times", accepted, ticks);
    close(fds[0]);
    close(fds[1]);
    tlsmem_loop_free(parents);
    CHECK(stat(at.sun_path, &file) != 0, "the file of the socket is still there");
}

/* ---- beside the resolver's threads */

enum { ASKED = 16 };
static tlsmem *asking[ASKED];

static void free_who_asks(void)
{
    for (int i = 0; i < ASKED; i += 2)
        tlsmem_free(asking[i]);
    tlsmem_loop_free(parents);
    for (int i = 1; i < ASKED; i += 2)
        tlsmem_free(asking[i]);
}

void beside_resolver(void)
{
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    situation("a child that frees while names are looked up in threads");
    to.host = SCRIPTED, to.port = 1;
    resolver_answers(NULL, "127.0.0.1");
    for (int round = 0; round < 20; round++) {
        if (round % 2 == 1)
            resolver_hold(AF_UNSPEC);
        parents = new_loop();
        for (int i = 0; i < ASKED; i++) {
            asking[i] = connection(client_ctx, NULL, NULL);
            MUST(tlsmem_loop_connect(parents, asking[i], &to) == TLSMEM_OK);
        }
        in_child(free_who_asks);
        resolver_release();
        MUST(tlsmem_loop_run(parents) == TLSMEM_OK);
        for (int i = 0; i < ASKED; i++) {
            CHECK_STATUS(failure_of(asking[i]), TLSMEM_ECONNECT);
            tlsmem_free(asking[i]);
        }
        tlsmem_loop_free(parents);
    }
}
