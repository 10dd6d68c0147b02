/* hello.c - says hello over TLS and prints the answer: hello HOST PORT CA-FILE */
#include <stdio.h>
#include <stdlib.h>
#include <tlsmem.h>

int main(int argc, char **argv)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (argc != 4 || tlsmem_ctx_set_ca_file(ctx, argv[3]) != TLSMEM_OK)
        return fprintf(stderr, "usage: hello HOST PORT CA-FILE\n"), 1;
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem *c = tlsmem_new(ctx, NULL, NULL); /* no callbacks: what they would report can be asked for */
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = argv[1], to.port = atoi(argv[2]);
    char text[4096];
    ptrdiff_t n = tlsmem_loop_connect(loop, c, &to);       /* blocks nowhere, and verifies the host's name */
    if (n == TLSMEM_OK && tlsmem_write(c, "hello\n", 6) == 6) /* waits for the handshake by itself */
        n = TLSMEM_AGAIN;
    while (n == TLSMEM_AGAIN && tlsmem_loop_run_once(loop, -1) >= 0)
        while ((n = tlsmem_read(c, text, sizeof text)) > 0 && fwrite(text, 1, (size_t)n, stdout) > 0)
            tlsmem_close(c); /* goes on, until the peer has closed too */
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (n < 0 && tlsmem_error(c, &error) == TLSMEM_OK)
        fprintf(stderr, "%s\n", error.status != TLSMEM_OK ? error.sentence : tlsmem_strerror((int)n));
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    return n < 0 ? 3 : 0;
}
