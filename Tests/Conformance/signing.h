/*
 * Keys that are held elsewhere: here by the test, which signs for the library, or does not.
 */
#ifndef SIGNING_H
#define SIGNING_H

#include "pair.h"

#include <openssl/evp.h>

/** A key that the test holds, and a certificate of its own for it, in PEM. */
typedef struct held_key {
    const char *name;          /* "P-384" */
    const char *type;          /* as tlsmem_sign_request has it */
    EVP_PKEY *key;
    char certificate[4096];
    size_t certificate_bytes;
    uint8_t sha256[32];
} held_key;

/** Makes it, the first time; "RSA", "P-256", "P-384", "compressed" (P-256), "Ed25519", "Ed448", "RSA-PSS", or "other P-256". */
held_key *held(const char *name);
/** Returns the key with that SHA-256, of those that were made; NULL for none. */
held_key *held_by_sha256(const uint8_t *sha256);
void held_free(void);
/** Signs as a scheme of TLS has it. Returns the length. */
size_t sign_as(EVP_PKEY *key, int scheme, const void *message, size_t n, unsigned char *signature, size_t room);

/** A server's context, or a client's that verifies nothing, with these certificates, separated by spaces, and no key. */
tlsmem_ctx *keyless(tlsmem_role role, int version, const char *names);

/** How the program answers. */
typedef enum signer {
    SIGNS, SIGNS_LATER, SIGNS_IN_A_THREAD, SIGNS_TWICE, RETURNS_OK, RETURNS_ERROR, ANSWERS_ERROR, ANSWERS_NOTHING,
    ANSWERS_TOO_MUCH, FLIPS_A_BIT, HAS_ANOTHER_KEY, FREES, ABORTS, SIGNERS
} signer;
extern const char *const signer_names[SIGNERS];

/** What the signer does, and what it was asked. */
typedef struct signings {
    signer how;
    int asked;
    int scheme;
    char scheme_name[64], key_type[16], hash[16];
    const tlsmem *c;
    uint64_t token;
    unsigned char waiting[1024]; /* a signature that is to be given later */
    size_t waiting_bytes;
} signings;
extern signings signs;
int on_sign(tlsmem *c, const tlsmem_sign_request *request, void *user);
/** Gives the signature that waits. Returns what tlsmem_answer did. */
int sign_now(void);

/** A pair that sends 20000 bytes to and fro, and closes; both contexts are freed. */
void open_pair(tlsmem_ctx *from, tlsmem_ctx *to, face f);
void close_pair(void);

void signing_clients(int version);

#endif
