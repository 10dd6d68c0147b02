/*
 * Records as a peer would seal them, made by hand of what an SSL knows: AES-128-GCM in TLS 1.2 (RFC 5288) and TLS 1.3
 * (RFC 8446, 5.2 and 7.3).
 */
#ifndef SEAL_H
#define SEAL_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_ROOM (16384 + 1024)

typedef struct {
    int version;
    uint8_t secret[32]; /* TLS 1.3: the traffic secret (SHA-256) */
    uint8_t key[16], iv[12];
    uint64_t sequence;
} sealer;

/** TLS 1.3, from a traffic secret. */
void seal_from_secret(sealer *s, const uint8_t *secret);
/** The keys after a KeyUpdate (RFC 8446, 7.2). */
void seal_update(sealer *s);
/** TLS 1.2, with the keys that this end of an established connection sends with. */
void seal_from_ssl(sealer *s, const SSL *ssl);
/**
 * Seals n bytes of a content type, in TLS 1.3 with so many zeros behind it, and writes the record, header and all. `version` is
 * what the header says. Returns its length; 0 when it has no room.
 */
size_t seal(sealer *s, uint8_t *record, size_t room, int type, int version, const uint8_t *bytes, size_t n, size_t zeros);

#endif
