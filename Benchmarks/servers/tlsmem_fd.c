/* tlsmem_fd.c - libtlsmem's fd face in the epoll loop that the other servers have. */
#include "common.h"
#include "tlsmem_common.h"
#include <sys/epoll.h>

struct tls {
    struct conn conn;
    tlsmem *c;
    unsigned matched;
};
static tlsmem_ctx *ctx;

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
    return tlsmem_set_fd(t->c, conn->fd) == TLSMEM_OK ? EPOLLIN : 0;
}

static uint32_t ready(struct conn *conn, uint32_t events)
{
    struct tls *t = (struct tls *)conn;
    if ((events & ~(uint32_t)EPOLLOUT) && tlsmem_on_readable(t->c) != TLSMEM_OK)
        return 0;
    if ((events & ~(uint32_t)EPOLLIN) && tlsmem_on_writable(t->c) != TLSMEM_OK)
        return 0;
    if (options.work == WORK_DOWNLOAD && tlsmem_is_established(t->c)) {
        stream(t->c, WRITE_BYTES_A_TURN);
        return EPOLLIN | EPOLLOUT; /* there is always more to write */
    }
    return (uint32_t)tlsmem_interest(t->c); /* POLLIN and POLLOUT are EPOLLIN and EPOLLOUT */
}

static void end(struct conn *conn)
{
    tlsmem_free(((struct tls *)conn)->c);
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    ctx = tlsmem_context();
    static const struct face face = { sizeof(struct tls), open_tls, ready, end };
    return serve(&face);
}
