/*
 * The other end: OpenSSL alone, over two memory BIOs, so that nothing of it counts as ours. What it says can be made
 * before it is needed; then its work is in no measured stretch at all.
 */
#ifndef PEER_H
#define PEER_H

#include "../Conformance/support.h"

#include <openssl/ssl.h>

typedef struct peer {
    SSL *ssl;
    BIO *incoming, *outgoing;
    int fd; /* its own half, when there are sockets; else -1 */
} peer;

/** Speaks one version; a client verifies nothing, a server has the certificate of all tests. */
SSL_CTX *peer_context(tlsmem_role role, int version);
peer peer_new(SSL_CTX *ctx, tlsmem_role role, int fd);
/** Frees it, and closes its socket. */
void peer_free(peer *p);

/** Goes on with the handshake; returns whether it is done. */
int peer_handshakes(peer *p);
/** Moves what it has to say to bytes; returns how much that was. */
size_t peer_says(peer *p, void *bytes, size_t most);
void peer_hears(peer *p, const void *bytes, size_t n);
/** Reads all that it has heard; returns how much plaintext that was. */
size_t peer_reads(peer *p);

/*
 * Its socket: readv and writev, which the library never calls, so that strace can tell who was calling.
 */

/** Says all it has to say, and hears what has come. Returns whether anything moved. */
int peer_moves(peer *p);
/** Sends bytes as they are, as many as the socket takes; returns how many that was. */
size_t peer_sends(const peer *p, const void *bytes, size_t n);
/** Drops what has come; returns how much that was. */
size_t peer_drops(const peer *p);

/** Records of one size that were made before they are needed, one after another. */
typedef struct records {
    unsigned char *bytes;
    size_t length; /* of one of them */
    long count;
} records;
records peer_makes(peer *p, long count, size_t plaintext);

#endif
