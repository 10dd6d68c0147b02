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
static inline OSSL_PARAM copenssl_param_integer(const char *name) { return (OSSL_PARAM)OSSL_PARAM_int(name, NULL); }
static inline OSSL_PARAM copenssl_param_text(const char *name) { return (OSSL_PARAM)OSSL_PARAM_utf8_string(name, NULL, 0); }
static inline OSSL_PARAM copenssl_param_octets(const char *name) { return (OSSL_PARAM)OSSL_PARAM_octet_string(name, NULL, 0); }
static inline OSSL_PARAM copenssl_param_number(const char *name) { return (OSSL_PARAM)OSSL_PARAM_BN(name, NULL, 0); }
static inline OSSL_PARAM copenssl_param_end(void) { return (OSSL_PARAM)OSSL_PARAM_END; }
static inline int copenssl_public_key(void) { return EVP_PKEY_PUBLIC_KEY; }
static inline int copenssl_key_pair(void) { return EVP_PKEY_KEYPAIR; }
static inline int copenssl_hash(EVP_MD_CTX *ctx) { return EVP_MD_CTX_get_type(ctx); }

#endif
