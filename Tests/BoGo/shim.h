/* shim.h - a connection of libtlsmem in the shim. */
#ifndef BOGO_SHIM_H
#define BOGO_SHIM_H

#include <tlsmem.h>

#include "flags.h"
#include "tls.h"

enum { KEPT_MOST = 16384 };

struct tls {
    tlsmem *c;
    const struct flags *flags;
    int fd;
    bool fd_face;                  /* the library moves the bytes, else we do */
    unsigned char kept[KEPT_MOST]; /* received, and not taken yet */
    size_t kept_bytes;
    uint64_t token;                /* of a question that is answered in the next turn; 0 for none */
    int answer;
    bool insecure_accept;          /* goes with the answer, as do these */
    void *answer_bytes;
    size_t answer_length;
    int client_hellos;
    bool comes_back;               /* the runner wants a session of the connection before to be taken */
};

/** Moves what can be moved, or waits until something can. Returns whether anything may still come of it. */
bool turn(struct tls *tls);
/** Sends until nothing waits, also after a failure. Returns whether all of it is sent. */
bool send_all(struct tls *tls);

/** Returns the answer to a question; or TLSMEM_LATER, with -async, when it is given in the next turn, as if somebody else had to
 *  be asked. */
int answered(tlsmem *c, uint64_t token, int answer);
/** Has a server's sessions kept by the shim. */
int store_sessions(tlsmem_ctx *ctx);

/** Makes the context of libtlsmem; its callbacks find the struct tls in tlsmem_user. */
tlsmem_ctx *shim_context(const struct flags *flags);

#endif
