/* native.h - settings that both shims make on OpenSSL's own objects, because libtlsmem has them not, or not so unsafe. */
#ifndef BOGO_NATIVE_H
#define BOGO_NATIVE_H

#include <openssl/ssl.h>

#include "flags.h"

/** Lists for OpenSSL of what flags name by number, or NULL where they name nothing. Static until the next call. */
const char *native_groups(const struct flags *flags);
const char *native_signature_algorithms(const struct flags *flags);

/** Versions down to TLS 1.0, every cipher, keys of any strength, and what the flags say of that; keys of 5 bytes (PSK). */
void native_settings(SSL_CTX *ctx, const struct flags *flags);

/** Exports keying material under any label, the empty one too. */
bool native_export(SSL *ssl, const char *label, const char *context, void *bytes, size_t n);

#endif
