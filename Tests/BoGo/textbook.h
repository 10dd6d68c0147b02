/* textbook.h - a connection of OpenSSL over two memory BIOs, as the textbook has it. */
#ifndef BOGO_TEXTBOOK_H
#define BOGO_TEXTBOOK_H

#include "flags.h"
#include "tls.h"

struct tls {
    SSL *ssl;
    BIO *in, *out; /* ssl's */
    const struct flags *flags;
    int fd;
    bool gone, failed;                   /* the peer sent FIN or reset; OpenSSL said no */
    bool reading_early;                  /* a server that has not come to the end of early data */
    unsigned char early[16384];          /* early data that was read, */
    size_t early_bytes, early_taken;     /* and how much of it was taken */
    SSL_SESSION *session;                /* the newest */
    int client_hellos, handshakes;
};

/** Sends what OpenSSL has made, then receives once; after a call of OpenSSL's that has said `result`. Returns whether to call it
 *  again. */
bool textbook_again(struct tls *tls, int result);
/** Sends what OpenSSL has made. */
bool textbook_flush(struct tls *tls);
/** Makes the context; its callbacks find the struct tls in SSL_get_app_data. */
SSL_CTX *textbook_context(const struct flags *flags);

#endif
