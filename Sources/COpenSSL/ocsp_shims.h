// OpenSSL's macros about the status of certificates as functions. No logic.
#ifndef COPENSSL_OCSP_SHIMS_H
#define COPENSSL_OCSP_SHIMS_H

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline void copenssl_ctx_set_status_cb(SSL_CTX *ctx, int (*callback)(SSL *, void *)) { SSL_CTX_set_tlsext_status_cb(ctx, callback); }
static inline void copenssl_ctx_request_status(SSL_CTX *ctx) { SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp); }
static inline int copenssl_requests_status(SSL *ssl) { return SSL_get_tlsext_status_type(ssl) == TLSEXT_STATUSTYPE_ocsp; }
static inline long copenssl_get_status(SSL *ssl, const unsigned char **response) { return SSL_get_tlsext_status_ocsp_resp(ssl, response); }
static inline int copenssl_set_status(SSL *ssl, void *response, long count) { return (int)SSL_set_tlsext_status_ocsp_resp(ssl, response, count); }

static inline TLS_FEATURE *copenssl_features(const X509 *certificate) { return (TLS_FEATURE *)X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL); }
static inline int copenssl_features_count(const TLS_FEATURE *list) { return sk_ASN1_INTEGER_num(list); }
static inline long copenssl_features_at(const TLS_FEATURE *list, int index) { return ASN1_INTEGER_get(sk_ASN1_INTEGER_value(list, index)); }
static inline void copenssl_features_free(TLS_FEATURE *list) { TLS_FEATURE_free(list); }

#endif
