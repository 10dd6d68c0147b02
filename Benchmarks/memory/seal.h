/* seal.h - records of AES-128-GCM made and opened by EVP alone: what TLS 1.3 costs at least. */
#ifndef SEAL_H
#define SEAL_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_PLAINTEXT = 16384, RECORD_OVERHEAD = 5 + 1 + 16 }; /* header, content type, tag */

/** The keys of one direction. */
struct seal {
    EVP_CIPHER_CTX *sealing, *opening;
    uint64_t sealed, opened; /* records so far: their numbers make the nonces */
};

void seal_make(struct seal *s);
/** Makes a record of n bytes; `record` has room for n + RECORD_OVERHEAD, which it returns. */
size_t seal_record(struct seal *s, const void *plaintext, size_t n, unsigned char *record);
/** Opens what seal_record made of n bytes, in order. */
void seal_open(struct seal *s, const unsigned char *record, size_t n, unsigned char *plaintext);

#endif
