// OpenSSL's lists, other than those of certificates, as functions. No logic.
#ifndef COPENSSL_TRUST_SHIMS_H
#define COPENSSL_TRUST_SHIMS_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

static inline STACK_OF(X509_NAME) *copenssl_names_new(void) { return sk_X509_NAME_new_null(); }
static inline int copenssl_names_push(STACK_OF(X509_NAME) *list, X509_NAME *name) { return sk_X509_NAME_push(list, name); }
static inline int copenssl_names_count(const STACK_OF(X509_NAME) *list) { return sk_X509_NAME_num(list); }
static inline X509_NAME *copenssl_names_at(const STACK_OF(X509_NAME) *list, int index) { return sk_X509_NAME_value(list, index); }
static inline void copenssl_names_free(STACK_OF(X509_NAME) *list) { sk_X509_NAME_pop_free(list, X509_NAME_free); }

static inline int copenssl_objects_count(const STACK_OF(X509_OBJECT) *list) { return sk_X509_OBJECT_num(list); }
static inline X509_OBJECT *copenssl_objects_at(const STACK_OF(X509_OBJECT) *list, int index) { return sk_X509_OBJECT_value(list, index); }
static inline void copenssl_objects_remove(STACK_OF(X509_OBJECT) *list, int index) { X509_OBJECT_free(sk_X509_OBJECT_delete(list, index)); }

#endif
