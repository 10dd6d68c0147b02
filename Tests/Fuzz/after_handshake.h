/*
 * A connection whose handshake an OpenSSL peer has done properly, and a peer that then says whatever the input wants, under the
 * keys of that handshake.
 *
 *   byte 0    what kind of connection: KIND_...
 *   then      what is done, one after the other: see act
 */
#ifndef AFTER_HANDSHAKE_H
#define AFTER_HANDSHAKE_H

#include "fuzz.h"
#include "seal.h"

#define KIND_SERVER 1 /* the connection of the library is a server */
#define KIND_OLD 2    /* TLS 1.2 */
#define KIND_PULL 4   /* it has no on_data */
#define KIND_ASKS 8   /* a server that may ask for a certificate, a client that shows one then */
#define KIND_SMALL 16 /* small limits */
#define KIND_AGAIN 32 /* TLS 1.2: renegotiation is allowed */

typedef struct {
    tlsmem *c;
    SSL *other;          /* as long as it is honest */
    BIO *to_other, *from_other;
    sealer keys;
    unsigned kind, cut;  /* bytes of each piece that is fed; 0: all */
    uint64_t honest;     /* records that the other has sent with these keys */
    uint8_t secret[32];  /* its traffic secret of TLS 1.3, once it is known */
    int is_forged;       /* something was sealed by hand: the other does not know of it */
    int established, closes, ends, drains;
    uint64_t got, accepted;
} meeting;

/** Both ends, established. */
void meet(meeting *m, unsigned kind);
void part(meeting *m);
/** Carries bytes in both directions until nothing moves. */
void carry(meeting *m);
/** Feeds bytes, and does what a program does after that. */
void give(meeting *m, const uint8_t *bytes, size_t n);

#endif
