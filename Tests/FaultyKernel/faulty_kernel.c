#define _GNU_SOURCE
#include "faulty_kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

const char *const faulty_names[FAULTY_CALLS] = { "recv", "send", "accept4", "epoll_ctl" };

static struct {
    faulty_call call;
    long i;
    int fault;
    int happened;
    int fd;               /* on which the fault happened, or -1 */
    int broken_fd;        /* of which the connection is gone, or -1 */
    long counts[FAULTY_CALLS];
} state = { FAULTY_RECV, 0, 0, 0, -1, -1, { 0, 0, 0, 0 } };

void faulty_arm(faulty_call call, long i, int fault)
{
    state.call = call;
    state.i = i;
    state.fault = fault;
    state.happened = 0;
    state.fd = state.broken_fd = -1;
    for (int each = 0; each < FAULTY_CALLS; each++)
        state.counts[each] = 0;
}

long faulty_count(faulty_call call)
{
    return state.counts[call];
}

int faulty_happened(void)
{
    return state.happened;
}

int faulty_fd(void)
{
    return state.fd;
}

/** Counts a call. Returns the fault that it is to suffer, or 0. */
static int fault_of(faulty_call call, int fd)
{
    if (++state.counts[call] != state.i || call != state.call)
        return 0;
    state.happened = 1;
    state.fd = fd;
    return state.fault;
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

/** The fault of a call on a stream, which lasts when the connection is gone. */
static int stream_fault(faulty_call call, int fd)
{
    int fault = fault_of(call, fd);
    if (fault == ECONNRESET || fault == EPIPE || fault == FAULTY_END)
        state.broken_fd = fd;
    if (fault == ECONNRESET || fault == EPIPE)
        shutdown(fd, SHUT_RDWR);
    if (fault == 0 && state.broken_fd == fd && state.fault == FAULTY_END)
        return call == FAULTY_RECV ? FAULTY_END : 0; /* the peer has shut down its half only */
    if (fault == 0 && state.broken_fd == fd)
        return call == FAULTY_SEND ? EPIPE : ECONNRESET;
    return fault;
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, void *, size_t, int);
    int fault = stream_fault(FAULTY_RECV, fd);
    if (next == NULL)
        *(void **)&next = real("recv");
    if (fault == FAULTY_END)
        return 0;
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(fd, bytes, fault == FAULTY_SHORT && n > 1 ? 1 : n, flags);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    int fault = stream_fault(FAULTY_SEND, fd);
    if (next == NULL)
        *(void **)&next = real("send");
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(fd, bytes, fault == FAULTY_SHORT && n > 1 ? 1 : n, flags);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    static int (*next)(int, struct sockaddr *, socklen_t *, int);
    int fault = fault_of(FAULTY_ACCEPT, fd);
    if (next == NULL)
        *(void **)&next = real("accept4");
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(fd, address, length, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    static int (*next)(int, int, int, struct epoll_event *);
    int fault = fault_of(FAULTY_EPOLL_CTL, fd);
    if (next == NULL)
        *(void **)&next = real("epoll_ctl");
    if (fault > 0 && operation != EPOLL_CTL_DEL) {
        errno = fault;
        return -1;
    }
    return next(epoll, operation, fd, event);
}

/* close: a number that is used again is another connection. */
int close(int fd)
{
    static int (*next)(int);
    if (next == NULL)
        *(void **)&next = real("close");
    if (fd == state.broken_fd)
        state.broken_fd = -1;
    return next(fd);
}
