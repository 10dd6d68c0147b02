/*
 * tls.h - what the exchange with the runner needs of a TLS library, to be implemented by each shim: by libtlsmem in the
 * buffers_face and fd_face of shim.c, and by OpenSSL itself in textbook.c. Every call that moves bytes waits for them.
 */
#ifndef BOGO_TLS_H
#define BOGO_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "flags.h"

struct context; /* settings, for connections with the same flags */
struct tls;     /* one connection */

/** Makes the settings; those of the connection before it, with other flags, or NULL, so that tickets of it are taken. */
struct context *context_new(const struct flags *flags, struct context *before);

/** Makes a connection on a connected, non-blocking socket. It offers the session of the connection before it, if there is one. */
struct tls *tls_new(struct context *context, const struct flags *flags, int fd, struct tls *before);
/** Whether a session was left that another connection can be made with. */
bool tls_has_session(struct tls *tls);
void tls_free(struct tls *tls);

/** Goes on until the handshake is done, or, on a server, until early data can be read. Returns whether it came to that. */
bool tls_handshake(struct tls *tls);
/** Returns the bytes read, 1 to n; 0 when no more will come, with close_notify or without; -1 when it failed. */
ptrdiff_t tls_read(struct tls *tls, void *bytes, size_t n);
/** The same, and leaves them there. */
ptrdiff_t tls_peek(struct tls *tls, void *bytes, size_t n);
/** Writes all, before the handshake too: early data, where the session allows it. Returns whether it could. */
bool tls_write(struct tls *tls, const void *bytes, size_t n);
bool tls_key_update(struct tls *tls);
/** Sends close_notify, and waits for the peer's. Returns whether that came. */
bool tls_close(struct tls *tls);
/** Sends what waits, the alert of a failure above all, and gives the socket back. Says on stderr what has failed, unless it is
 *  good. */
void tls_end(struct tls *tls, bool good);

/** What is known of a connection. */
struct facts {
    int version, cipher, group, peer_scheme;
    bool resumed, early_accepted;
    const char *server_name, *alpn; /* alpn is not terminated */
    size_t alpn_bytes;
    int renegotiations, client_hellos; /* the second one behind a HelloRetryRequest counts as well */
};
void tls_facts(struct tls *tls, struct facts *facts);
bool tls_export(struct tls *tls, const char *label, const char *context, void *bytes, size_t n);
/** Copies tls-unique; returns its length or -1. */
ptrdiff_t tls_unique(struct tls *tls, void *bytes, size_t n);
/** Copies a certificate that the peer sent, DER; returns its length, -1 behind the last. */
ptrdiff_t tls_peer_certificate(struct tls *tls, size_t index, void *der, size_t n);
/** Copies the OCSP response; returns its length or -1. */
ptrdiff_t tls_ocsp_response(struct tls *tls, void *der, size_t n);
/** For what is a matter of OpenSSL's in each shim. */
SSL *tls_native(struct tls *tls);

#endif
