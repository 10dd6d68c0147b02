/* tlsmem_common.h - what the three servers on libtlsmem share. */
#ifndef BENCH_TLSMEM_COMMON_H
#define BENCH_TLSMEM_COMMON_H

#include "common.h"
#include <tlsmem.h>

/* TLS 1.3 with TLS_AES_128_GCM_SHA256; two tickets, as by default, with the first write. */
tlsmem_ctx *tlsmem_context(void);
/* Writes blocks of a download, until it is congested or `most` bytes are written. */
void stream(tlsmem *c, size_t most);
/* Answers what came: for on_data. */
void answer_in(tlsmem *c, unsigned *matched, const void *bytes, size_t n);

/* A connection in the loop that the other servers have. */
struct tls {
    struct conn conn;
    tlsmem *c;
    unsigned matched;
};
/* Serves them until it is killed; gives each its descriptor, if it is to have that. */
int serve_in_loop(int argc, char **argv, int has_fd, uint32_t (*ready)(struct conn *, uint32_t events));

#endif
