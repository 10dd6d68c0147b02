/* pair.h - a client and a server in one process, TLS 1.3 with AES-128-GCM, established: ours, and the textbook's. */
#ifndef PAIR_H
#define PAIR_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <tlsmem.h>

/** Two connections of libtlsmem in its buffers face. */
struct pair {
    tlsmem *client, *server;
    size_t received; /* by the server, so far */
};
void pair_make(struct pair *p);
/** Takes all ciphertext of the client to the server. */
void pair_carry(struct pair *p);

/** The textbook way: two SSL, each over two BIO_s_mem, and a buffer between them. */
struct textbook {
    SSL *client, *server;
    unsigned char wire[1 << 15];
};
void textbook_make(struct textbook *t);
/** Takes what the writer has made to the reader. */
void textbook_carry(struct textbook *t, SSL *from, SSL *to);

#endif
