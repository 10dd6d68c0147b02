/* openssl_common.h - what the servers share in which OpenSSL writes to the socket by itself, and the SSL_CTX of all. */
#ifndef BENCH_OPENSSL_COMMON_H
#define BENCH_OPENSSL_COMMON_H

#include "common.h"
#include <openssl/ssl.h>

/* TLS 1.3 with TLS_AES_128_GCM_SHA256; partial writes; two tickets a handshake, as OpenSSL does by default. */
SSL_CTX *openssl_context(void);
/* After a call that returned r: the epoll events that it waits for, or 0 when the connection has ended. */
uint32_t openssl_wants(SSL *ssl, int r);

struct tls {
    struct conn conn;
    SSL *ssl;
    struct rest rest; /* plaintext that could not be written */
    size_t at;        /* in the block of a download */
    unsigned matched;
};
/* Writes n bytes. Returns EPOLLIN when all was written, else what it waits for; what is left is kept. */
uint32_t openssl_write(struct tls *t, const char *bytes, size_t n);
/* Writes what was kept. Returns the same. */
uint32_t openssl_write_rest(struct tls *t);
/* Writes blocks until the socket is full, or the turn is over. Returns what it waits for. */
uint32_t openssl_download(struct tls *t);
void openssl_end(struct conn *conn);

#endif
