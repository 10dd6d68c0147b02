/* bytes.c - bytes that have to wait; see common.h. */
#include "common.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void pour(int fd, struct bytes *b)
{
    /* Not O_NONBLOCK, which would change the descriptor for everyone who shares it, the shell for one. A pipe or
       terminal that polls writable takes this little without blocking. */
    size_t done = 0;
    struct pollfd ready = { .fd = fd, .events = POLLOUT };
    while (done < b->n && poll(&ready, 1, 0) > 0) {
        ssize_t took = write(fd, b->at + done, b->n - done < PIPE_BUF ? b->n - done : PIPE_BUF);
        if (took < 0 && errno != EINTR && errno != EAGAIN) {
            say("cannot write to descriptor %d: %s", fd, strerror(errno));
            exit(EXIT_NETWORK);
        }
        if (took < 0)
            break;
        done += (size_t)took;
    }
    drop(b, done);
}

void keep(struct bytes *b, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (n > b->room - b->n) {
        size_t room = 2 * (b->n + n);
        char *at = realloc(b->at, room);
        if (at == NULL) {
            say("out of memory");
            exit(EXIT_NETWORK);
        }
        b->at = at;
        b->room = room;
    }
    memcpy(b->at + b->n, bytes, n);
    b->n += n;
}

void drop(struct bytes *b, size_t n)
{
    b->n -= n;
    if (b->n > 0) {
        memmove(b->at, b->at + n, b->n);
    } else {
        free(b->at);
        *b = (struct bytes) { NULL, 0, 0 };
    }
}
