/* openssl_common.h - the SSL_CTX of the servers that use OpenSSL, all alike. */
#ifndef BENCH_OPENSSL_COMMON_H
#define BENCH_OPENSSL_COMMON_H

#include <openssl/ssl.h>

/* TLS 1.3 with TLS_AES_128_GCM_SHA256; partial writes; two tickets a handshake, as OpenSSL does by default. */
SSL_CTX *openssl_context(void);
/* After a call that returned r: the epoll events that it waits for, or 0 when the connection has ended. */
uint32_t openssl_wants(SSL *ssl, int r);

#endif
