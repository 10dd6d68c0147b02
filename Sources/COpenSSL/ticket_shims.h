// What seals session tickets, as functions. No logic.
#ifndef COPENSSL_TICKET_SHIMS_H
#define COPENSSL_TICKET_SHIMS_H

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

static inline uint64_t copenssl_op_no_ticket(void) { return SSL_OP_NO_TICKET; }

static inline int copenssl_hmac_sha256_init(EVP_MAC_CTX *mac, const void *key, size_t n) {
    OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0), OSSL_PARAM_construct_end() };
    return EVP_MAC_init(mac, key, n, parameters);
}

#endif
