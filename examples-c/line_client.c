/* line_client.c - what is typed is sent, what comes is shown, in a poll loop: line_client HOST PORT CA-FILE */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <tlsmem.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *to;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    char shown[4096], line[4096], *rest = line; /* of the line: what tlsmem has not taken yet */
    ptrdiff_t n, left = 0;                      /* and how much that is */
    int in = 0, status = argc == 4 ? getaddrinfo(argv[1], argv[2], &hints, &to) : EAI_NONAME;
    if (status != 0)
        return fprintf(stderr, "usage: line_client HOST PORT CA-FILE: %s\n", gai_strerror(status)), 1;
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (tlsmem_ctx_set_ca_file(ctx, argv[3]) != TLSMEM_OK)
        return tlsmem_ctx_error(ctx, &error), fprintf(stderr, "%s\n", error.sentence), 1;
    int fd = socket(to->ai_family, SOCK_STREAM, 0);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0
        || (connect(fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS))
        return perror("connect"), 1;
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    if (tlsmem_set_server_name(c, argv[1]) != TLSMEM_OK || tlsmem_set_fd(c, fd) != TLSMEM_OK)
        return fprintf(stderr, "%s is no name of a server\n", argv[1]), 1;
    tlsmem_handshake(c); /* begins its deadline, for connect, too; tick tells if it has failed */
    while ((status = tlsmem_tick(c, tlsmem_now())) == TLSMEM_OK) {
        int64_t next = tlsmem_deadline(c), wait = next - tlsmem_now();
        int most = next < 0 ? -1 : wait < 0 ? 0 : wait < 60000 ? (int)wait : 60000;
        short want = (short)tlsmem_interest(c); /* if nothing, poll must not see the fd */
        struct pollfd p[2] = { { left > 0 ? -1 : in, POLLIN, 0 }, { want ? fd : -1, want, 0 } };
        poll(p, 2, most);
        if (p[1].revents & ~POLLOUT)
            tlsmem_on_readable(c);
        if (p[1].revents & ~POLLIN)
            tlsmem_on_writable(c);
        if (p[0].revents)
            rest = line, left = read(in, line, sizeof line);
        if (p[0].revents && left <= 0) /* closes behind what was written; the answer still comes */
            in = -1, left = 0, tlsmem_close_write(c);
        if (left > 0 && (n = tlsmem_write(c, rest, (size_t)left)) > 0)
            rest += n, left -= n;
        while ((n = tlsmem_read(c, shown, sizeof shown)) > 0)
            fwrite(shown, 1, (size_t)n, stdout), fflush(stdout);
        if (n == 0) /* the peer has closed, and all is shown */
            in = -1, tlsmem_close(c);
    }
    if (status != TLSMEM_CLOSED && tlsmem_error(c, &error) == TLSMEM_OK)
        fprintf(stderr, "%s: %s\n", tlsmem_status_name(status), error.sentence);
    else if (left > 0)
        fprintf(stderr, "the server closed before all was sent\n");
    freeaddrinfo(to), tlsmem_free(c), tlsmem_ctx_free(ctx), close(fd);
    return status != TLSMEM_CLOSED || left > 0;
}
