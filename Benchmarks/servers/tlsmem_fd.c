/* tlsmem_fd.c - libtlsmem's fd face in the epoll loop that the other servers have. */
#include "tlsmem_common.h"
#include <sys/epoll.h>

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

int main(int argc, char **argv)
{
    return serve_in_loop(argc, argv, 1, ready);
}
