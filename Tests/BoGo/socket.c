/* socket.c - the shim's own socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

static int connected(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (fd >= 0 && connect(fd, address, length) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

int socket_connect(int port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = connected((struct sockaddr *)&six, sizeof six);
    return fd >= 0 ? fd : connected((struct sockaddr *)&four, sizeof four);
}

int socket_wait(int fd, int events, int timeout_ms)
{
    struct pollfd one = { .fd = fd, .events = (short)events };
    int n;
    do
        n = poll(&one, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n > 0 ? one.revents : 0;
}

void socket_finish(int fd)
{
    char dropped[4096];
    shutdown(fd, SHUT_WR);
    for (int bound = 0; bound < 10000 && socket_wait(fd, POLLIN, PATIENCE_MS) != 0; bound++) {
        ssize_t n = recv(fd, dropped, sizeof dropped, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            break;
    }
    close(fd);
}
