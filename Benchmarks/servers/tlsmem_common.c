/* tlsmem_common.c - see tlsmem_common.h. */
#include "tlsmem_common.h"
#include <sys/epoll.h>

tlsmem_ctx *tlsmem_context(void)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    if (tlsmem_ctx_set_cert_file(ctx, options.cert) || tlsmem_ctx_set_key_file(ctx, options.key)
        || tlsmem_ctx_set_min_version(ctx, TLSMEM_TLS1_3) || tlsmem_ctx_set_ciphers(ctx, "TLS_AES_128_GCM_SHA256"))
        fail("--cert or --key is not usable");
    return ctx;
}

void stream(tlsmem *c, size_t most)
{
    ptrdiff_t n;
    for (size_t written = 0; written < most && !tlsmem_is_congested(c); written += (size_t)n)
        if ((n = tlsmem_write(c, block, options.size)) < 0)
            return;
}

void answer_in(tlsmem *c, unsigned *matched, const void *bytes, size_t n)
{
    struct answer answer = answer_to(matched, bytes, n);
    if (answer.n > 0 && tlsmem_write(c, answer.bytes, answer.n) > 0 && tlsmem_is_congested(c))
        tlsmem_pause(c); /* until on_drain */
}

/* ---- in the loop that the others have */

static tlsmem_ctx *ctx;
static int gives_fd;

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    answer_in(c, &((struct tls *)user)->matched, bytes, n);
}

static void on_drain(tlsmem *c, void *user)
{
    (void)user;
    tlsmem_resume(c);
}

static uint32_t open_tls(struct conn *conn)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_data, on_drain, NULL, NULL };
    struct tls *t = (struct tls *)conn;
    t->c = tlsmem_new(ctx, &callbacks, t);
    return !gives_fd || tlsmem_set_fd(t->c, conn->fd) == TLSMEM_OK ? EPOLLIN : 0;
}

static void end(struct conn *conn)
{
    tlsmem_free(((struct tls *)conn)->c);
}

int serve_in_loop(int argc, char **argv, int has_fd, uint32_t (*ready)(struct conn *, uint32_t events))
{
    struct face face = { sizeof(struct tls), open_tls, ready, end };
    parse_options(argc, argv);
    ctx = tlsmem_context();
    gives_fd = has_fd;
    return serve(&face);
}
