/* leaving.h - what a plugin leaves behind: leaver.c makes it and is unmapped, leaving.c goes on with it. */
#ifndef LEAVING_H
#define LEAVING_H

#include <tlsmem_dynamic.h>

/** A client and a server, without callbacks. */
struct two {
    tlsmem *c[2];
};

struct left {
    struct two begun; /* in the middle of its handshake, over buffers */
    struct two open;  /* established, over buffers; "kept" waits in the server, to be read */
    struct two looped; /* established, in the loop; the connections own their sockets */
    tlsmem_loop *loop;
    long called;      /* how often something called back into the plugin, while it was there */
    int wire;         /* a socket of a connection that was freed in the loop: what is written there was once for its callback */
};

/** Moves what waits from one end to the other. Returns whether anything did. */
static inline int move(const tlsmem_api *tls, struct two *t)
{
    int moved = 0;
    for (int i = 0; i < 2; i++) {
        const void *bytes;
        size_t n;
        while (tls->outgoing_peek(t->c[i], &bytes, &n) == TLSMEM_OK && tls->feed(t->c[1 - i], bytes, n) == (ptrdiff_t)n)
            moved |= tls->outgoing_consume(t->c[i], n) == TLSMEM_OK;
    }
    return moved;
}

/** Ends the program, and says where, unless it is so. */
#define MUST(good) \
    do { \
        if (!(good)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #good); \
            _Exit(1); \
        } \
    } while (0)

#endif
