/* client.c - main, and what has nothing to do with TLS; see client.h. */
#define _GNU_SOURCE
#include "client.h"
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int dial(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        found = NULL;
    for (struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
            freeaddrinfo(found);
            return fd;
        }
        close(fd);
    }
    fprintf(stderr, "no connection to %s, port %s\n", host, port);
    exit(2);
}

int heard(const char *bytes, long n)
{
    fwrite(bytes, 1, (size_t)n, stdout);
    return bytes[n - 1] == '\n';
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST PORT CA-FILE\n", argv[0]);
        return 2;
    }
    return ask(argv[1], argv[2], argv[3]);
}
