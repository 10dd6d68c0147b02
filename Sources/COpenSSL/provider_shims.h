// What a provider of our own is made with. No logic.
#ifndef COPENSSL_PROVIDER_SHIMS_H
#define COPENSSL_PROVIDER_SHIMS_H

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

static inline void copenssl_raise(int library, int reason) { ERR_new(); ERR_set_error(library, reason, NULL); }
static inline unsigned long copenssl_error(int library, int reason) { return ERR_PACK(library, 0, reason); }
static inline OSSL_PARAM copenssl_param_end(void) { return (OSSL_PARAM)OSSL_PARAM_END; }
static inline int copenssl_public_key(void) { return EVP_PKEY_PUBLIC_KEY; }
static inline int copenssl_key_pair(void) { return EVP_PKEY_KEYPAIR; }
static inline int copenssl_hash(EVP_MD_CTX *ctx) { return EVP_MD_CTX_get_type(ctx); }

// The lists that OpenSSL wants beside the functions of a provider. It keeps them, and the names in them: what Swift passes for a
// C string is gone after the call.

// What a key is made of: public parts only.
static inline const OSSL_PARAM *copenssl_params_of_parts(void) {
    static const OSSL_PARAM all[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    return all;
}

static inline const OSSL_PARAM *copenssl_params_of_keys(void) {
    static const OSSL_PARAM all[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };
    return all;
}

static inline const OSSL_PARAM *copenssl_params_of_signatures(void) {
    static const OSSL_PARAM all[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };
    return all;
}

#endif
