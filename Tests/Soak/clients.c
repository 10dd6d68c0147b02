/* The clients: as many at once as is the turn of, of each kind, by each way, to each of the server's places. */
#define _GNU_SOURCE
#include "contexts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bare.h"

enum { TOGETHER = 16, PACE_MS = 2 };
static uint64_t next_number;

/* ---- connecting */

static int port_of(const talk *t)
{
    return t->plan.place == TO_OWN ? shared->own_port : t->plan.place == TO_IMPATIENT ? shared->impatient_port
        : shared->loop_ports[t->plan.order.number % LOOP_PORTS];
}

static int connected_to_port(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS));
    return fd;
}

static int connected_to_path(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    size_t n = strlen(path);
    memcpy(to.sun_path + 1, path + 1, n - 1); /* an abstract name: "@" stands for the zero */
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0)
        return fd;
    MUST(fd >= 0 && errno == EAGAIN); /* the queue is full */
    close(fd);
    return -1;
}

static int connected(talk *t)
{
    int fd = t->plan.place == TO_UNIX ? connected_to_path(shared->path) : -1;
    if (fd < 0)
        fd = connected_to_port(port_of(t));
    if (t->plan.small_buffers) {
        int few = 4096;
        MUST(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof few) == 0);
    }
    return fd;
}

static void connect_by_loop(talk *t)
{
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    t->way = BY_LOOP;
    options.host = "127.0.0.1";
    options.port = port_of(t);
    MUST(tlsmem_loop_connect(the_loop, t->c, &options) == TLSMEM_OK);
}

/* ---- one client */

static void give_up(tlsmem_timer *timer, void *user)
{
    talk *t = user;
    (void)timer;
    talk_enter(t);
    if (t->closes == 0 && seeded_next(&t->chance) % 2)
        tlsmem_abort(t->c);
    else if (t->closes == 0)
        talk_free(t);
    talk_leave(t);
}

static void write_early(talk *t)
{
    order head = t->plan.order;
    ptrdiff_t taken = tlsmem_write_early(t->c, &head, sizeof head);
    if (taken > 0)
        t->sent = (uint64_t)taken;
    else if (taken != TLSMEM_ESESSION) /* one of TLS 1.2, or that allows none */
        wrong("%s may not send early: %s", talk_name(t), tlsmem_status_name((int)taken));
}

static void begin_one(uint64_t number)
{
    plan p = plan_of(number);
    if (is_bare(p.order.ending)) {
        bare_begin(connected_to_port(shared->impatient_port), p.order.ending == GARBAGE, number);
        return;
    }
    talk *t = talk_new(0, &p);
    talk_enter(t);
    t->c = tlsmem_new(context_of_kind(p.kind), &talk_callbacks, t);
    MUST(t->c != NULL);
    MUST(tlsmem_set_server_name(t->c, p.order.ending == REFUSED ? REFUSED_NAME : names[p.name]) == TLSMEM_OK);
    if (p.resumes && sessions_offer(t) && p.early)
        write_early(t);
    if (p.way == BY_LOOP && p.place != TO_UNIX && !p.small_buffers)
        connect_by_loop(t);
    else
        drive_begin(t, connected(t));
    if (p.order.ending == GIVEN_UP)
        talk_later(t, (unsigned)(seeded_next(&t->chance) % 5), give_up);
    else
        talk_go_on(t);
    talk_leave(t);
}

/* ---- all of them */

/** How many at once: at times few, at times as many as there may be. */
static uint64_t at_once(void)
{
    static const unsigned percent[] = { 25, 100, 50, 75 };
    number step = shared->connections < 1000000 ? shared->connections / 50 + 1 : 20000;
    return shared->most * percent[next_number / step % 4] / 100 + 1;
}

static void come(tlsmem_timer *timer, void *user)
{
    int asked = GET(shared->quiet_asked), rests = GET(shared->counts[SERVER].rested) < asked; /* it rests after us */
    (void)user;
    for (int i = 0; i < TOGETHER && !rests && GET(own->alive) + bare_alive() < at_once(); i++)
        if (next_number < shared->connections)
            begin_one(next_number++);
    if (rests)
        talks_hurry();
    if (rests && GET(own->rested) < asked && GET(own->alive) + bare_alive() == 0) {
        sessions_free();
        look_at_oneself(&own->quiet);
        SET(own->rested, asked);
    }
    if (GET(shared->is_over))
        IGNORE(tlsmem_loop_stop(the_loop));
    IGNORE(tlsmem_timer_set(timer, rests ? 50 : PACE_MS));
}

void visit(void)
{
    contexts_of_clients();
    MUST((the_loop = new_loop()) != NULL && tlsmem_loop_timer(the_loop, 0, come, NULL) != NULL);
    answers_begin();
    MUST(tlsmem_loop_run(the_loop) == TLSMEM_OK);
    answers_end();
    talks_free();
    tlsmem_loop_free(the_loop);
    sessions_free();
    contexts_free();
}
