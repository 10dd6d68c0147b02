#include "bare.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct bare {
    int says_something;
    seeded chance;
} bare;

static uint64_t alive;

uint64_t bare_alive(void)
{
    return alive;
}

static void say(bare *b, int fd)
{
    /* Some begin as a record of a handshake does (RFC 8446, 5.1). */
    unsigned char bytes[700] = { 22, 3, 1, 2, 0, 1 };
    size_t n = 1 + seeded_next(&b->chance) % sizeof bytes, head = seeded_next(&b->chance) % 7;
    pattern_fill(bytes + head, (uint32_t)seeded_next(&b->chance), 0, sizeof bytes - head);
    IGNORE(send(fd, bytes, n, MSG_NOSIGNAL) < 0);
    b->says_something = 0;
}

static void on_ready(tlsmem_loop *loop, int fd, int events, void *user)
{
    bare *b = user;
    char bytes[512];
    if (b->says_something) {
        say(b, fd);
        MUST(tlsmem_loop_watch(loop, fd, POLLIN, on_ready, b) == TLSMEM_OK);
        return;
    }
    if (events != 0 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        return; /* an alert: the end comes behind it */
    MUST(tlsmem_loop_watch(loop, fd, 0, on_ready, b) == TLSMEM_OK);
    close(fd);
    free(b);
    alive--;
}

void bare_begin(int fd, int says_something, uint64_t number)
{
    bare *b = malloc(sizeof *b);
    MUST(b != NULL);
    *b = (bare) { says_something, { shared->seed + number } };
    MUST(tlsmem_loop_watch(the_loop, fd, says_something ? POLLOUT : POLLIN, on_ready, b) == TLSMEM_OK);
    alive++;
    ADD(own->bare, 1);
}
