/*
 * fleet_redis.c - sessions of TLS in Redis, on a plain socket in the loop; see fleet_server.c.
 *
 * What is asked goes out at once, and the answers come in the order of the questions (RESP).
 */
#include "fleet_redis.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BULK_MAX = 1 << 16 };

/* A question that Redis has been asked and has not answered; one of nobody (c NULL) is a SET or a DEL. */
struct asked {
    tlsmem *c;
    uint64_t token;
    struct asked *next;
};

static struct redis {
    tlsmem_loop *loop;
    int port, fd;    /* -1 when there is no connection */
    int64_t retry;   /* not to be tried before */
    struct bytes out, in;
    struct asked *first, **last;
} r = { .fd = -1, .last = &r.first };

/* Answers the oldest question: with a session, or with none. */
static void answer(const void *bytes, size_t n)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    struct asked *a = r.first;
    if ((r.first = a->next) == NULL)
        r.last = &r.first;
    reply.bytes = bytes;
    reply.length = n;
    if (a->c != NULL)
        tlsmem_answer(a->c, a->token, bytes != NULL ? TLSMEM_OK : TLSMEM_ESESSION, &reply); /* it may be gone by now */
    free(a);
}

static void on_redis(tlsmem_loop *loop, int fd, int events, void *user);

/* Whoever waits has a whole handshake, and Redis is asked again in a second at the earliest. */
static void lost(const char *why)
{
    say("Redis: %s", why);
    watch(r.loop, r.fd, 0, on_redis, NULL);
    close(r.fd);
    r.fd = -1;
    r.retry = tlsmem_now() + 1000;
    drop(&r.out, r.out.n);
    drop(&r.in, r.in.n);
    while (r.first != NULL)
        answer(NULL, 0);
}

static void flush(void)
{
    ssize_t n = send(r.fd, r.out.at, r.out.n, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN) { /* it is being connected */
        lost(strerror(errno));
        return;
    }
    if (n > 0)
        drop(&r.out, (size_t)n);
    watch(r.loop, r.fd, POLLIN | (r.out.n > 0 ? POLLOUT : 0), on_redis, NULL);
}

static void reach(void)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)r.port) };
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (r.fd >= 0 || tlsmem_now() < r.retry)
        return;
    r.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r.fd >= 0 && connect(r.fd, (struct sockaddr *)&there, sizeof there) != 0 && errno != EINPROGRESS)
        lost(strerror(errno));
}

/* One argument of a command (RESP, "bulk string"). */
static void add(const void *bytes, size_t n)
{
    char head[32];
    keep(&r.out, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", n));
    keep(&r.out, bytes, n);
    keep(&r.out, "\r\n", 2);
}

/* Asks Redis: a command with the key of a session, for a SET with its value and how long it lives. Returns 1 if it is on its way. */
static int ask(const char *command, const tlsmem_session_entry *entry, const void *value, size_t n, const char *life,
               tlsmem *c)
{
    char head[8], key[4 + 2 * 32] = "tls:";
    reach();
    struct asked *a = r.fd >= 0 ? calloc(1, sizeof *a) : NULL;
    if (a == NULL)
        return 0;
    a->c = c;
    a->token = entry->token;
    *r.last = a;
    r.last = &a->next;
    memcpy(key + 4, entry->id, entry->id_length);
    keep(&r.out, head, (size_t)snprintf(head, sizeof head, "*%d\r\n", life != NULL ? 5 : 2));
    add(command, strlen(command));
    add(key, 4 + entry->id_length);
    if (life != NULL) {
        add(value, n);
        add("EX", 2);
        add(life, strlen(life));
    }
    flush();
    return 1; /* or it has been answered already, with nothing */
}

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    char life[24];
    (void)c, (void)user;
    long long seconds = (long long)entry->expires - (long long)time(NULL);
    snprintf(life, sizeof life, "%lld", seconds > 0 ? seconds : 1);
    ask("SET", entry, entry->bytes, entry->length, life, NULL);
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    return ask(entry->once ? "GETDEL" : "GET", entry, NULL, 0, NULL, c) ? TLSMEM_LATER : TLSMEM_ESESSION;
}

static void on_remove(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)c, (void)user;
    ask("DEL", entry, NULL, 0, NULL, NULL);
}

/* Takes one reply from the front of what came: "+OK", ":1", "-ERR ...", "$-1", or "$N" and N bytes. Returns 0 when it is not
   whole, -1 when it is no reply to any of the commands. */
static int take_reply(void)
{
    char *end = r.in.n > 0 ? memchr(r.in.at, '\n', r.in.n) : NULL;
    if (end == NULL)
        return r.in.n < BULK_MAX ? 0 : -1;
    size_t head = (size_t)(end - r.in.at) + 1;
    long n = r.in.at[0] == '$' ? strtol(r.in.at + 1, NULL, 10) : -1;
    if (r.first == NULL || strchr("+-:$", r.in.at[0]) == NULL || n > BULK_MAX)
        return -1;
    if (n >= 0 && r.in.n < head + (size_t)n + 2)
        return 0;
    answer(n >= 0 ? r.in.at + head : NULL, n >= 0 ? (size_t)n : 0);
    drop(&r.in, head + (n >= 0 ? (size_t)n + 2 : 0));
    return 1;
}

static void on_redis(tlsmem_loop *loop, int fd, int events, void *user)
{
    char bytes[16384];
    (void)loop, (void)user;
    if (events & POLLOUT)
        flush();
    ssize_t n = r.fd < 0 ? -1 : recv(fd, bytes, sizeof bytes, 0);
    if (n == 0 || (n < 0 && r.fd >= 0 && errno != EAGAIN && errno != EINTR)) {
        lost(n == 0 ? "it has closed the connection" : strerror(errno));
        return;
    }
    if (n > 0)
        keep(&r.in, bytes, (size_t)n);
    int taken = 1;
    while (r.fd >= 0 && r.in.n > 0 && (taken = take_reply()) > 0)
        ;
    if (taken < 0)
        lost("that is no reply");
}

int share_sessions(tlsmem_ctx *ctx, tlsmem_loop *loop, int port)
{
    tlsmem_session_callbacks callbacks = TLSMEM_SESSION_CALLBACKS_INIT;
    callbacks.on_new = on_new;
    callbacks.on_find = on_find;
    callbacks.on_remove = on_remove;
    r.loop = loop;
    r.port = port;
    return tlsmem_ctx_set_session_callbacks(ctx, &callbacks, NULL);
}
