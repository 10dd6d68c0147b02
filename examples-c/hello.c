/* hello.c - says hello over TLS and prints what comes back */
#include <stdio.h>
#include <stdlib.h>
#include <tlsmem.h>

int main(int argc, char **argv)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (argc != 4 || tlsmem_ctx_set_ca_file(ctx, argv[3]) < 0)
        return fputs("usage: hello HOST PORT CA-FILE\n", stderr), 1;
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem *c = tlsmem_new(ctx, NULL, NULL); /* no callbacks: asks */
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    to.host = argv[1], to.port = atoi(argv[2]);
    char text[4096];
    /* This blocks nowhere, and verifies the host's name; what is
     * written waits for the handshake by itself. */
    ptrdiff_t n = tlsmem_loop_connect(loop, c, &to);
    if (n == TLSMEM_OK && tlsmem_write(c, "hello\n", 6) == 6)
        n = TLSMEM_AGAIN;
    while (n == TLSMEM_AGAIN && tlsmem_loop_run_once(loop, -1) >= 0)
        while ((n = tlsmem_read(c, text, sizeof text)) > 0) {
            fwrite(text, 1, (size_t)n, stdout);
            tlsmem_close(c); /* goes on, until the peer closes too */
        }
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (n < 0 && tlsmem_error(c, &error) == TLSMEM_OK)
        fprintf(stderr, "%s: %s\n", tlsmem_status_name((int)n),
                error.sentence);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    return n < 0 ? 3 : 0;
}
