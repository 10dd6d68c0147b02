/*
 * epoll: level and edge triggered, one-shot, within one another.
 *
 * An edge comes where nothing was to be had, or no room, as far as the last call on the socket has found, and now there
 * is: the least that Linux promises. Who has not used up what was there is not reminded.
 */
#define _GNU_SOURCE
#include "kernel.h"
#include "clock.h"

#include <errno.h>
#include <stdlib.h>

static const uint32_t ALWAYS = EPOLLERR | EPOLLHUP;

int epoll_create1(int flags)
{
    (void)flags;
    return file_open(KIND_EPOLL);
}

static item *find(file *epoll, int fd)
{
    for (int i = 0; i < epoll->item_count; i++)
        if (epoll->items[i].fd == fd && epoll->items[i].use == file_of(fd)->use)
            return &epoll->items[i];
    return NULL;
}

static int add(file *epoll, item added)
{
    if (epoll->item_count == epoll->item_room) {
        int room = epoll->item_room * 2 + 8;
        epoll->items = realloc(epoll->items, (size_t)room * sizeof *epoll->items);
        epoll->item_room = room;
    }
    epoll->items[epoll->item_count++] = added;
    return 0;
}

static int bare_ctl(file *epoll, int operation, int fd, const struct epoll_event *event)
{
    file *target = file_of(fd);
    if (target == NULL)
        return failing(EBADF);
    item *present = find(epoll, fd);
    if (operation == EPOLL_CTL_ADD ? present != NULL : present == NULL)
        return failing(operation == EPOLL_CTL_ADD ? EEXIST : ENOENT);
    if (operation == EPOLL_CTL_DEL) {
        *present = epoll->items[--epoll->item_count];
        return 0;
    }
    if (strikes(FAULT_ENOMEM, 4))
        return failing(ENOMEM);
    item made = { .fd = fd, .events = event->events, .data = event->data.u64, .use = target->use, .is_fresh = 1 };
    if (present != NULL)
        return *present = made, 0;
    return add(epoll, made);
}

int epoll_ctl(int fd, int operation, int of, struct epoll_event *event)
{
    file *epoll = file_of(fd);
    if (epoll == NULL || epoll->kind != KIND_EPOLL)
        return failing(EBADF);
    int answer = bare_ctl(epoll, operation, of, event);
    file *target = file_of(of);
    int is_socket = target != NULL && target->kind == KIND_SOCKET;
    note("epoll_ctl", is_socket ? target->sock->connection * 2 + target->sock->side : -1,
         operation | (long)(event == NULL ? 0 : event->events) << 8, answer < 0 ? -errno : answer);
    total.calls++;
    return answer;
}

/** A closed descriptor leaves every epoll. */
void epoll_forget(int closed)
{
    for (int fd = KERNEL_FDS; fd < KERNEL_FDS + KERNEL_FDS_MOST; fd++) {
        file *epoll = file_of(fd);
        if (epoll == NULL)
            continue;
        for (int i = 0; epoll->kind == KIND_EPOLL && i < epoll->item_count; i++)
            if (epoll->items[i].fd == closed)
                epoll->items[i--] = epoll->items[--epoll->item_count];
    }
}

/** What there is to be reported of one, without reporting it. */
static uint32_t reports(const item *each)
{
    uint32_t events = kernel_ready(each->fd) & (each->events | ALWAYS);
    if ((each->events & ~(uint32_t)(EPOLLET | EPOLLONESHOT)) == 0)
        return 0; /* a one-shot that was fired */
    if (events == 0 || (each->events & EPOLLET) == 0 || each->is_fresh)
        return events;
    const file *f = file_of(each->fd);
    if (f->kind != KIND_SOCKET)
        return events;
    return f->sock->in_edges != each->in_edges || f->sock->out_edges != each->out_edges ? events : 0;
}

uint32_t epoll_ready(file *epoll)
{
    for (int i = 0; i < epoll->item_count; i++)
        if (reports(&epoll->items[i]) != 0)
            return EPOLLIN;
    return 0;
}

static void reported(item *each)
{
    const file *f = file_of(each->fd);
    each->is_fresh = 0;
    if (f->kind == KIND_SOCKET) {
        each->in_edges = f->sock->in_edges;
        each->out_edges = f->sock->out_edges;
    }
    if ((each->events & EPOLLONESHOT) != 0)
        each->events &= EPOLLET | EPOLLONESHOT;
}

static int collect(file *epoll, struct epoll_event *events, int most)
{
    int found = 0, first = 0;
    if (strikes(FAULT_ORDER, 500))
        first = (int)chance_below(&kernel_chance, (uint64_t)epoll->item_count);
    for (int i = 0; i < epoll->item_count && found < most; i++) {
        item *each = &epoll->items[(first + i) % epoll->item_count];
        uint32_t ready = reports(each);
        if (ready != 0) {
            reported(each);
        } else if (file_of(each->fd)->kind == KIND_SOCKET && (each->events & EPOLLIN) != 0
                   && strikes(FAULT_SPURIOUS, 3)) {
            progress(); /* nobody is to blame for looking */
            ready = each->events & (EPOLLIN | EPOLLOUT);
        }
        if (ready != 0) {
            note("ready", file_of(each->fd)->kind != KIND_SOCKET ? -1
                 : file_of(each->fd)->sock->connection * 2 + file_of(each->fd)->sock->side, (long)ready, 0);
            events[found++] = (struct epoll_event){ ready, { .u64 = each->data } };
        }
    }
    if (found > 1 && strikes(FAULT_ORDER, 500))
        for (int i = found - 1; i > 0; i--) {
            int other = (int)chance_below(&kernel_chance, (uint64_t)i + 1);
            struct epoll_event kept = events[i];
            events[i] = events[other];
            events[other] = kept;
        }
    return found;
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    file *epoll = file_of(fd);
    if (epoll == NULL || epoll->kind != KIND_EPOLL)
        return failing(EBADF);
    total.calls++;
    if (strikes(FAULT_EINTR, 10))
        return failing(EINTR);
    int64_t until = timeout < 0 ? INT64_MAX : clock_now() + timeout;
    for (;;) {
        int found = collect(epoll, events, most);
        if (found > 0 || timeout == 0 || clock_now() >= until)
            return found;
        int64_t next = kernel_next();
        if (next < 0 && timeout < 0)
            fail(-1, "stall", "epoll_wait would never return");
        clock_forward_to(next < 0 || next > until ? until : next);
        progress();
    }
}
