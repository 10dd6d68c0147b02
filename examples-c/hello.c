/* hello.c - says hello over TLS and prints the answer: hello HOST PORT CA-FILE */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <tlsmem.h>

int main(int argc, char **argv)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *to;
    if (argc != 4 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0)
        return fprintf(stderr, "usage: hello HOST PORT CA-FILE\n"), 1;
    struct pollfd p = { .fd = socket(to->ai_family, SOCK_STREAM, 0) }; /* stays ours: OpenSSL never sees it */
    if (connect(p.fd, to->ai_addr, to->ai_addrlen) != 0 || fcntl(p.fd, F_SETFL, O_NONBLOCK) != 0)
        return perror("connect"), 2;

    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    tlsmem *c = tlsmem_ctx_set_ca_file(ctx, argv[3]) == TLSMEM_OK ? tlsmem_new(ctx, NULL, NULL) : NULL;
    if (tlsmem_set_server_name(c, argv[1]) != TLSMEM_OK || tlsmem_set_fd(c, p.fd) != TLSMEM_OK
        || tlsmem_write(c, "hello\n", 6) != 6) /* waits for the handshake by itself */
        return fprintf(stderr, "%s holds no certificate, or %s is no name\n", argv[3], argv[1]), 3;
    char text[4096];
    ptrdiff_t got;
    while ((got = tlsmem_read(c, text, sizeof text)) > 0 || got == TLSMEM_AGAIN) {
        if (got > 0 && fwrite(text, 1, (size_t)got, stdout) > 0)
            tlsmem_close(c); /* goes on, until the peer has closed too */
        p.events = (short)tlsmem_interest(c);
        poll(&p, 1, 1000);
        tlsmem_tick(c, tlsmem_now()); /* deadlines */
        tlsmem_on_writable(c);
        tlsmem_on_readable(c);
    }
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (got < 0 && tlsmem_error(c, &error) == TLSMEM_OK)
        fprintf(stderr, "%s\n", error.sentence);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    freeaddrinfo(to);
    return got < 0 ? 3 : 0;
}
