/* The socket calls of the faulty kernel. */
#define _GNU_SOURCE
#include "faulty_calls.h"

#include <sys/socket.h>

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    NEXT(recv);
    int fault = FAULT(FAULTY_RECV, fd);
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
    NEXT(send);
    int fault = FAULT(FAULTY_SEND, fd);
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(fd, bytes, fault == FAULTY_SHORT && n > 1 ? 1 : n, flags);
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    NEXT(accept4);
    FAIL_IF_TOLD(FAULTY_ACCEPT, fd);
    return next(fd, address, length, flags);
}

int socket(int family, int type, int protocol)
{
    NEXT(socket);
    FAIL_IF_TOLD(FAULTY_SOCKET, -1);
    return next(family, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    NEXT(bind);
    FAIL_IF_TOLD(FAULTY_BIND, fd);
    return next(fd, address, length);
}

int listen(int fd, int backlog)
{
    NEXT(listen);
    FAIL_IF_TOLD(FAULTY_LISTEN, fd);
    return next(fd, backlog);
}

/* One that a signal has interrupted goes on by itself. */
int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    NEXT(connect);
    int fault = FAULT(FAULTY_CONNECT, fd);
    int result = fault > 0 && fault != EINTR ? -1 : next(fd, address, length);
    if (fault > 0 && (fault != EINTR || result == 0 || errno == EINPROGRESS)) {
        errno = fault;
        return -1;
    }
    return result;
}

int shutdown(int fd, int how)
{
    NEXT(shutdown);
    FAIL_AFTER(FAULTY_SHUTDOWN, fd, next(fd, how));
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
    NEXT(getsockopt);
    FAIL_IF_TOLD(FAULTY_GETSOCKOPT, fd);
    return next(fd, level, name, value, length);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    NEXT(setsockopt);
    FAIL_IF_TOLD(FAULTY_SETSOCKOPT, fd);
    return next(fd, level, name, value, length);
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    NEXT(getsockname);
    FAIL_IF_TOLD(FAULTY_GETSOCKNAME, fd);
    return next(fd, address, length);
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    NEXT(getpeername);
    FAIL_IF_TOLD(FAULTY_GETPEERNAME, fd);
    return next(fd, address, length);
}
