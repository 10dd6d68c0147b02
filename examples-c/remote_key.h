/*
 * remote_key.h - what a server and the process that holds its key say to each other, over a socketpair.
 *
 * Numbers are in the order of this machine: it is one. Frames follow each other; each has its header in front.
 */
#ifndef REMOTE_KEY_H
#define REMOTE_KEY_H

#include <stdint.h>

/** A message that is to be signed, and the signature that answers it, under the same names. */
struct frame {
    uint64_t connection; /* its address, which says nothing to the holder */
    uint64_t token;
    int32_t scheme;      /* of TLS; in an answer 0, or -1 when nothing was signed */
    uint32_t length;     /* of what follows */
};
/** No more follows a frame: as much as a handshake may have. */
enum { FRAME_MAX = 1 << 20 };

/** Starts the holder, with the key in a file. Returns the socket to it, on which it has said that it is ready; ends the program
 *  when there is no such key, or when it is another one than the certificate's. */
int start_holder(const char *key_path, const char *cert_path);

#endif
