/* libevent_after.c - the fd face in libevent's loop: three plain events for a connection. */
#include "client.h"
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <tlsmem.h>
#include <unistd.h>

/* manual: ask */
struct client {
    tlsmem *c;
    struct event *readable, *writable, *deadline;
};

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    if (heard(bytes, (long)n))
        tlsmem_close(c); /* on_close comes when the peer has closed, too */
}

static void on_close(tlsmem *c, const tlsmem_report_info *report,
                     void *user)
{
    struct client *k = user;
    tlsmem_error_info why = TLSMEM_ERROR_INFO_INIT;
    (void)report;
    if (tlsmem_error(c, &why) == TLSMEM_OK && why.status != TLSMEM_OK)
        fprintf(stderr, "%s\n", why.sentence);
    event_base_loopbreak(event_get_base(k->deadline));
}

static void watch_for(struct event *event, int wanted)
{
    if (wanted)
        event_add(event, NULL);
    else
        event_del(event);
}

/* After every call on the connection: waits for what it waits for. */
static void settle(struct client *k)
{
    int wanted = tlsmem_interest(k->c);
    int64_t deadline = tlsmem_deadline(k->c);
    int64_t left = deadline > tlsmem_now() ? deadline - tlsmem_now() : 0;
    struct timeval after = { left / 1000, left % 1000 * 1000 };
    watch_for(k->readable, wanted & POLLIN);
    watch_for(k->writable, wanted & POLLOUT);
    if (deadline >= 0)
        event_add(k->deadline, &after);
    else
        event_del(k->deadline);
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    struct client *k = user;
    (void)fd;
    if (what & EV_READ)
        tlsmem_on_readable(k->c);
    if (what & EV_WRITE)
        tlsmem_on_writable(k->c);
    if (what & EV_TIMEOUT)
        tlsmem_tick(k->c, tlsmem_now());
    settle(k);
}

int ask(const char *host, const char *port, const char *authorities)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_error_info why = TLSMEM_ERROR_INFO_INIT;
    struct event_base *base = event_base_new();
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    int ready = tlsmem_ctx_set_ca_file(ctx, authorities) == TLSMEM_OK;
    int fd = dial(host, port);
    struct client k;
    callbacks.on_data = on_data;
    callbacks.on_close = on_close;
    k.c = tlsmem_new(ctx, &callbacks, &k);
    k.readable = event_new(base, fd, EV_READ | EV_PERSIST, on_event, &k);
    k.writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_event, &k);
    k.deadline = evtimer_new(base, on_event, &k);
    report.status = TLSMEM_ECONFIG;
    if (!ready && tlsmem_ctx_error(ctx, &why) == TLSMEM_OK)
        fprintf(stderr, "%s\n", why.sentence);
    if (ready && tlsmem_set_server_name(k.c, host) == TLSMEM_OK
        && tlsmem_set_fd(k.c, fd) == TLSMEM_OK
        && tlsmem_write(k.c, "hello\n", 6) == 6) { /* may come first */
        settle(&k);
        event_base_dispatch(base);
        tlsmem_report(k.c, &report);
    }
    event_free(k.readable);
    event_free(k.writable);
    event_free(k.deadline);
    tlsmem_free(k.c);
    tlsmem_ctx_free(ctx);
    event_base_free(base);
    close(fd); /* when no event is left on it */
    return report.status != TLSMEM_OK;
}
/* end of ask */
