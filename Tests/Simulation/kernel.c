/* Descriptors: their numbers, the smallest that is free as everywhere, and the calls that they all have. */
#define _GNU_SOURCE
#include "kernel.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const fault_names[FAULTS] = {
    "cut", "delay", "small", "refuse", "EINTR", "ENOBUFS", "ENOMEM", "reset", "fin", "stall", "ECONNREFUSED",
    "ETIMEDOUT", "EMFILE", "spurious", "order", "jump",
};

unsigned kernel_faults;
static file files[KERNEL_FDS_MOST];
static int files_end; /* behind the last one in use */
static uint64_t uses, progressed;

file *file_of(int fd)
{
    int place = fd - KERNEL_FDS;
    return place >= 0 && place < KERNEL_FDS_MOST && files[place].kind != KIND_FREE ? &files[place] : NULL;
}

int failing(int error)
{
    errno = error;
    return -1;
}

void unknown_call(const char *name, int fd)
{
    fprintf(stderr, "simulate: nobody has written %s for the virtual descriptor %d\n", name, fd);
    abort();
}

int strikes(fault which, unsigned permille)
{
    if ((kernel_faults >> which & 1) == 0 || !chance_permille(&kernel_chance, permille))
        return 0;
    total.faults[which]++;
    return 1;
}

void progress(void)
{
    progressed++;
}

uint64_t kernel_progress(void)
{
    return progressed;
}

void kernel_begin(unsigned faults)
{
    kernel_faults = faults;
    uses = progressed = 0;
}

void kernel_calms(void)
{
    kernel_faults = 0;
    for (int place = 0; place < files_end; place++)
        if (files[place].kind == KIND_SOCKET)
            sock_calms(files[place].sock);
}

int kernel_open(void)
{
    int open = 0;
    for (int place = 0; place < files_end; place++)
        open += files[place].kind != KIND_FREE;
    return open;
}

int kernel_end(FILE *to)
{
    int left = kernel_open();
    for (int place = 0; place < files_end; place++) {
        file *f = &files[place];
        if (f->kind == KIND_FREE)
            continue;
        if (to != NULL)
            fprintf(to, "  still open: %d, %s of connection %d\n", place + KERNEL_FDS,
                    f->kind == KIND_SOCKET ? "a socket" : f->kind == KIND_EPOLL ? "an epoll" : "an eventfd",
                    f->kind == KIND_SOCKET ? f->sock->connection : -1);
        close(place + KERNEL_FDS);
    }
    files_end = 0;
    return left;
}

int file_open(kind kind)
{
    for (int place = 0; place < KERNEL_FDS_MOST; place++)
        if (files[place].kind == KIND_FREE) {
            files[place] = (file){ .kind = kind, .use = ++uses };
            if (place >= files_end)
                files_end = place + 1;
            total.calls++;
            return place + KERNEL_FDS;
        }
    return failing(EMFILE);
}

sock *socket_of(int fd)
{
    file *f = file_of(fd);
    if (f == NULL || f->kind != KIND_SOCKET) {
        errno = f == NULL ? EBADF : ENOTSOCK;
        return NULL;
    }
    total.calls++;
    return f->sock;
}

int kernel_number_of(const sock *s)
{
    return s->connection * 2 + s->side;
}

int close(int fd)
{
    file *f = file_of(fd);
    if (f == NULL)
        return fd >= KERNEL_FDS && fd < KERNEL_FDS + KERNEL_FDS_MOST
            ? (note("close of none", -1, fd, 0), failing(EBADF)) : (int)syscall(SYS_close, fd);
    note("close", f->kind == KIND_SOCKET ? f->sock->connection * 2 + f->sock->side : -1, fd, f->kind);
    if (f->kind == KIND_SOCKET)
        sock_close(f->sock);
    free(f->items);
    *f = (file){ .kind = KIND_FREE };
    epoll_forget(fd);
    return 0;
}

uint32_t kernel_ready(int fd)
{
    file *f = file_of(fd);
    if (f == NULL)
        return 0;
    switch (f->kind) {
    case KIND_SOCKET: return sock_ready(f->sock);
    case KIND_EPOLL: return epoll_ready(f);
    case KIND_EVENT: return (f->counter > 0 ? EPOLLIN : 0) | EPOLLOUT;
    case KIND_FREE: break;
    }
    return 0;
}

int64_t kernel_next(void)
{
    int64_t next = -1;
    for (int place = 0; place < files_end; place++) {
        if (files[place].kind != KIND_SOCKET)
            continue;
        int64_t moment = sock_next(files[place].sock);
        if (moment >= 0 && (next < 0 || moment < next))
            next = moment;
    }
    return next;
}

/* ---- what all have */

int fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    if (fd < KERNEL_FDS || fd >= KERNEL_FDS + KERNEL_FDS_MOST)
        return (int)syscall(SYS_fcntl, fd, command, argument);
    if (file_of(fd) == NULL)
        return failing(EBADF);
    switch (command) {
    case F_GETFD: return FD_CLOEXEC;
    case F_SETFD: case F_SETFL: return 0;
    case F_GETFL: return O_RDWR | O_NONBLOCK;
    }
    unknown_call("fcntl", fd);
}

int fstat(int fd, struct stat *answer)
{
    if (fd < KERNEL_FDS)
        return (int)syscall(SYS_fstat, fd, answer);
    unknown_call("fstat", fd);
}

/* ---- eventfd */

int eventfd(unsigned value, int flags)
{
    (void)flags;
    int fd = file_open(KIND_EVENT);
    if (fd >= 0)
        file_of(fd)->counter = value;
    return fd;
}

ssize_t read(int fd, void *bytes, size_t n)
{
    file *f = file_of(fd);
    if (f == NULL)
        return fd < KERNEL_FDS ? syscall(SYS_read, fd, bytes, n) : failing(EBADF);
    if (f->kind != KIND_EVENT)
        unknown_call("read", fd);
    if (strikes(FAULT_EINTR, 30))
        return failing(EINTR);
    if (f->counter == 0)
        return failing(EAGAIN);
    memcpy(bytes, &f->counter, sizeof f->counter);
    f->counter = 0;
    return sizeof f->counter;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    file *f = file_of(fd);
    if (f == NULL)
        return fd < KERNEL_FDS ? syscall(SYS_write, fd, bytes, n) : failing(EBADF);
    if (f->kind != KIND_EVENT)
        unknown_call("write", fd);
    if (strikes(FAULT_EINTR, 30))
        return failing(EINTR);
    uint64_t more;
    memcpy(&more, bytes, sizeof more);
    f->counter += more;
    return sizeof more;
}
