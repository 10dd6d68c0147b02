// OpenSSL's macros as functions, because Swift cannot see function-like macros. No logic.
#ifndef COPENSSL_SHIMS_H
#define COPENSSL_SHIMS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/async.h>
#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/proverr.h>
#include <openssl/rand.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static inline long copenssl_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
static inline int copenssl_tell(BIO *bio) { return (int)BIO_tell(bio); }
static inline int copenssl_seek(BIO *bio, int offset) { return (int)BIO_seek(bio, offset); }
static inline void copenssl_mem_eof_return(BIO *bio, int value) { BIO_set_mem_eof_return(bio, value); }
static inline void copenssl_set_mem_buf(BIO *bio, BUF_MEM *memory) { BIO_set_mem_buf(bio, memory, BIO_CLOSE); }
static inline void copenssl_get_mem_ptr(BIO *bio, BUF_MEM **memory) { BIO_get_mem_ptr(bio, memory); }
static inline void copenssl_reset(BIO *bio) { (void)BIO_reset(bio); }
// As an object of Swift's is allocated: without memory the process ends here. UnsafeMutablePointer.allocate gives NULL then.
static inline void *copenssl_allocate(size_t size) __attribute__((returns_nonnull));
static inline void *copenssl_allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL)
        __builtin_trap();
    return memory;
}
static inline void *copenssl_malloc(size_t count) { return OPENSSL_malloc(count); }
static inline void copenssl_clear_free(void *memory, size_t count) { OPENSSL_clear_free(memory, count); }
static inline void copenssl_secure_clear_free(void *memory, size_t count) { OPENSSL_secure_clear_free(memory, count); }

static inline long copenssl_ctx_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }
static inline long copenssl_ctx_clear_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_clear_mode(ctx, mode); }
static inline int copenssl_ctx_set_min(SSL_CTX *ctx, int version) { return (int)SSL_CTX_set_min_proto_version(ctx, version); }
static inline int copenssl_ctx_set_max(SSL_CTX *ctx, int version) { return (int)SSL_CTX_set_max_proto_version(ctx, version); }
static inline int copenssl_ctx_set_groups(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_groups_list(ctx, list); }
static inline int copenssl_ctx_set_signature_algorithms(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_sigalgs_list(ctx, list); }
static inline void copenssl_ctx_set_dh_auto(SSL_CTX *ctx) { SSL_CTX_set_dh_auto(ctx, 1); }
static inline void copenssl_ctx_end_suite_b(SSL_CTX *ctx) { SSL_CTX_clear_cert_flags(ctx, SSL_CERT_FLAG_SUITEB_128_LOS); }
static inline void copenssl_ctx_set_servername_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *)) { SSL_CTX_set_tlsext_servername_callback(ctx, callback); }
static inline void copenssl_ctx_set_max_cert_list(SSL_CTX *ctx, long bytes) { SSL_CTX_set_max_cert_list(ctx, bytes); }

static inline long copenssl_ctx_set_session_cache_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_session_cache_mode(ctx, mode); }

static inline uint64_t copenssl_op_no_renegotiation(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline uint64_t copenssl_op_client_renegotiation(void) { return SSL_OP_ALLOW_CLIENT_RENEGOTIATION; }
static inline uint64_t copenssl_op_no_anti_replay(void) { return SSL_OP_NO_ANTI_REPLAY; }
static inline uint64_t copenssl_op_no_compression(void) { return SSL_OP_NO_COMPRESSION; }
static inline uint64_t copenssl_ops_weak(void)
{
    return SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_ALLOW_NO_DHE_KEX;
}
static inline uint64_t copenssl_op_server_preference(void) { return SSL_OP_CIPHER_SERVER_PREFERENCE; }

static inline long copenssl_ctx_get_max_cert_list(SSL_CTX *ctx) { return SSL_CTX_get_max_cert_list(ctx); }

static inline long copenssl_set_mode(SSL *ssl, long mode) { return SSL_set_mode(ssl, mode); }
static inline long copenssl_clear_mode(SSL *ssl, long mode) { return SSL_clear_mode(ssl, mode); }
static inline int copenssl_set_min(SSL *ssl, int version) { return (int)SSL_set_min_proto_version(ssl, version); }
static inline int copenssl_set_max(SSL *ssl, int version) { return (int)SSL_set_max_proto_version(ssl, version); }
static inline int copenssl_set_groups(SSL *ssl, const char *list) { return (int)SSL_set1_groups_list(ssl, list); }
static inline void copenssl_set_max_cert_list(SSL *ssl, long bytes) { SSL_set_max_cert_list(ssl, bytes); }
static inline int copenssl_set_sni(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
static inline void copenssl_set_msg_arg(SSL *ssl, void *arg) { SSL_set_msg_callback_arg(ssl, arg); }
static inline int copenssl_negotiated_group(SSL *ssl) { return (int)SSL_get_negotiated_group(ssl); }
static inline int copenssl_signature_hash(SSL *ssl, int *nid) { return (int)SSL_get_signature_nid(ssl, nid); }
static inline int copenssl_peer_signature_hash(SSL *ssl, int *nid) { return (int)SSL_get_peer_signature_nid(ssl, nid); }
static inline int copenssl_has_extended_master_secret(SSL *ssl) { return (int)SSL_get_extms_support(ssl); }
static inline int copenssl_has_secure_renegotiation(SSL *ssl) { return (int)SSL_get_secure_renegotiation_support(ssl); }
static inline long copenssl_get_ticket_keys(SSL_CTX *ctx, void *keys, long n) { return SSL_CTX_get_tlsext_ticket_keys(ctx, keys, n); }
static inline long copenssl_set_ticket_keys(SSL_CTX *ctx, void *keys, long n) { return SSL_CTX_set_tlsext_ticket_keys(ctx, keys, n); }
static inline int copenssl_ssl_index(void) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }
static inline int copenssl_ssl_index_freed(CRYPTO_EX_free *freed) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, freed); }
static inline int copenssl_session_index(CRYPTO_EX_dup *copied, CRYPTO_EX_free *freed) { return SSL_SESSION_get_ex_new_index(0, NULL, NULL, copied, freed); }
static inline int copenssl_ctx_index(void) { return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

static inline int copenssl_err_is_system(unsigned long code) { return ERR_SYSTEM_ERROR(code) != 0; }
static inline unsigned long copenssl_err_system(int code) { return ERR_SYSTEM_FLAG | (unsigned long)code; }
static inline int copenssl_err_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int copenssl_err_reason(unsigned long code) { return ERR_GET_REASON(code); }

static inline int copenssl_print_name(BIO *bio, const X509_NAME *name) {
    return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}
static inline STACK_OF(X509) *copenssl_x509s_new(void) { return sk_X509_new_null(); }
static inline int copenssl_x509s_push(STACK_OF(X509) *list, X509 *certificate) { return sk_X509_push(list, certificate); }
static inline int copenssl_x509s_count(const STACK_OF(X509) *list) { return sk_X509_num(list); }
static inline X509 *copenssl_x509s_at(const STACK_OF(X509) *list, int index) { return sk_X509_value(list, index); }
static inline X509 *copenssl_x509s_shift(STACK_OF(X509) *list) { return sk_X509_shift(list); }
static inline int copenssl_x509s_unshift(STACK_OF(X509) *list, X509 *certificate) { return sk_X509_unshift(list, certificate); }
static inline void copenssl_x509s_free(STACK_OF(X509) *list) { sk_X509_pop_free(list, X509_free); }

static inline int copenssl_ciphers_count(const STACK_OF(SSL_CIPHER) *list) { return sk_SSL_CIPHER_num(list); }
static inline const SSL_CIPHER *copenssl_ciphers_at(const STACK_OF(SSL_CIPHER) *list, int index) { return sk_SSL_CIPHER_value(list, index); }
static inline int copenssl_ciphers_find(STACK_OF(SSL_CIPHER) *list, const SSL_CIPHER *cipher) { return sk_SSL_CIPHER_find(list, cipher); }
static inline void copenssl_ciphers_free(STACK_OF(SSL_CIPHER) *list) { sk_SSL_CIPHER_free(list); }

static inline int copenssl_print_address(int family, const void *address, char *text, unsigned room) { return inet_ntop(family, address, text, room) != NULL; }
static inline int64_t copenssl_seconds(struct tm *utc) { return timegm(utc); }

static inline int copenssl_open_append(const char *path) { return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600); }
static inline int copenssl_open_read(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }
static inline int copenssl_is_regular(mode_t mode) { return S_ISREG(mode); }
static inline int copenssl_takes_lines(const struct stat *s) { return S_ISREG(s->st_mode) || (S_ISCHR(s->st_mode) && s->st_rdev == makedev(1, 3)); } // or /dev/null
static inline void copenssl_set_blocking(int file) { (void)fcntl(file, F_SETFL, O_APPEND); }
static inline int copenssl_errno(void) { return errno; }
static inline int copenssl_is_directory(const char *path) { struct stat s; return stat(path, &s) == 0 && S_ISDIR(s.st_mode); }

#endif
