/* The calls of the faulty kernel on any descriptor, and those of epoll. */
#define _GNU_SOURCE
#include "faulty_calls.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

int epoll_create1(int flags)
{
    NEXT(epoll_create1);
    FAIL_IF_TOLD(FAULTY_EPOLL_CREATE, -1);
    return next(flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    NEXT(epoll_ctl);
    int fault = FAULT(FAULTY_EPOLL_CTL, fd);
    if (fault > 0 && operation != EPOLL_CTL_DEL) {
        errno = fault;
        return -1;
    }
    return next(epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    NEXT(epoll_wait);
    FAIL_IF_TOLD(FAULTY_EPOLL_WAIT, epoll);
    return next(epoll, events, most, timeout);
}

int eventfd(unsigned count, int flags)
{
    NEXT(eventfd);
    FAIL_IF_TOLD(FAULTY_EVENTFD, -1);
    return next(count, flags);
}

static int is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

ssize_t read(int fd, void *bytes, size_t n)
{
    NEXT(read);
    int fault = FAULT(is_file(fd) ? FAULTY_READ : FAULTY_READ_EVENT, fd);
    if (fault == FAULTY_END)
        return 0;
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(fd, bytes, fault == FAULTY_SHORT && n > 1 ? 1 : n);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    NEXT(write);
    int fault = FAULT(is_file(fd) ? FAULTY_WRITE : FAULTY_WRITE_EVENT, fd);
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(fd, bytes, fault == FAULTY_SHORT && n > 1 ? 1 : n);
}

/* The descriptor is given back in any case. */
int close(int fd)
{
    NEXT(close);
    int fault = FAULT(FAULTY_CLOSE, fd);
    faulty_closed(fd);
    int result = next(fd);
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return result;
}

int fcntl(int fd, int operation, ...)
{
    NEXT(fcntl);
    va_list arguments;
    va_start(arguments, operation);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    FAIL_IF_TOLD(FAULTY_FCNTL, fd);
    return next(fd, operation, argument);
}
