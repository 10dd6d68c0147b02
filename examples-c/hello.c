/* hello.c - says hello over TLS and prints the answer: hello HOST PORT CA-FILE */
#define _POSIX_C_SOURCE 200809L
#include <netdb.h>
#include <stdio.h>
#include <tlsmem.h>

int main(int argc, char **argv)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *to = NULL;
    if (argc != 4 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0)
        return fprintf(stderr, "usage: hello HOST PORT CA-FILE\n"), 1;
    int fd = socket(to->ai_family, SOCK_STREAM, 0); /* stays ours: the library never sees it */
    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0)
        return perror("connect"), freeaddrinfo(to), 2;
    freeaddrinfo(to);

    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    ptrdiff_t got = tlsmem_ctx_set_ca_file(ctx, argv[3]);
    tlsmem *c = tlsmem_new(ctx, NULL, NULL);
    if (got == TLSMEM_OK && (got = tlsmem_set_server_name(c, argv[1])) == TLSMEM_OK)
        got = tlsmem_write(c, "hello\n", 6); /* waits for the handshake by itself */

    char text[4096], wire[16384];
    const void *bytes;
    for (size_t n; got > 0 || got == TLSMEM_AGAIN;) {
        while (tlsmem_outgoing_peek(c, &bytes, &n) == TLSMEM_OK) { /* ciphertext goes out by our own send, */
            ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
            tlsmem_outgoing_consume(c, sent > 0 ? (size_t)sent : n); /* if it failed, recv will say so too */
        }
        if ((got = tlsmem_read(c, text, sizeof text)) > 0) {
            fwrite(text, 1, (size_t)got, stdout);
            tlsmem_close(c); /* goes on, until the peer has closed too */
        } else if (got == TLSMEM_AGAIN) { /* and comes in by our own recv */
            ssize_t came = recv(fd, wire, sizeof wire, 0);
            if ((came > 0 ? tlsmem_feed(c, wire, (size_t)came) : tlsmem_feed_eof(c)) < 0)
                continue; /* first the alert goes out, then tlsmem_read says what happened */
        }
    }
    tlsmem_error_info why = TLSMEM_ERROR_INFO_INIT;
    if (got < 0 && (got == TLSMEM_ECONFIG ? tlsmem_ctx_error(ctx, &why) : tlsmem_error(c, &why)) == TLSMEM_OK)
        fprintf(stderr, "%s\n", why.sentence);
    tlsmem_free(c);
    tlsmem_ctx_free(ctx);
    return got < 0 ? 3 : 0;
}
