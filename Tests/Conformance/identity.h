/*
 * Who we are: contexts that are given certificates and keys, and clients that see which of them they get.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "support.h"

/** A file's contents, in memory of the caller's. */
typedef struct contents {
    void *bytes;
    size_t n;
} contents;
contents contents_of(const char *path);

/** Refused with TLSMEM_ECONFIG, by a sentence that has both of these in it; the second may be "". */
#define REFUSED(ctx, call, one, other) refused_at(__FILE__, __LINE__, ctx, #call, call, one, other)
void refused_at(const char *file, int line, tlsmem_ctx *ctx, const char *what, int status, const char *one,
                const char *other);

/** A server's context without an identity. */
tlsmem_ctx *nobody(void);
/** A client's that trusts the authority and takes only these ("RSA+SHA256:ed25519"); NULL for all. */
tlsmem_ctx *choosy(int version, const char *algorithms);
/** The same that verifies nothing. */
tlsmem_ctx *careless(int version, const char *algorithms);

/** How a handshake in memory went. */
typedef struct outcome {
    int client, server;       /* what they failed with, TLSMEM_OK if not */
    int alert;                /* that the server sent, or -1 */
    char subject[128];        /* of the server's certificate, as the client has it */
    char clients_subject[128];
    char sentence[256];       /* of the server's failure */
} outcome;
/** Has a client of one context ask a server of the other for a name; without NULL for none. */
outcome meet(tlsmem_ctx *client, tlsmem_ctx *server, const char *name);
/** Checks that this client is shown the certificate of that name; and frees the client's context. */
#define SHOWS(client, server, name, subject) shows_at(__FILE__, __LINE__, client, server, name, subject)
void shows_at(const char *file, int line, tlsmem_ctx *client, tlsmem_ctx *server, const char *name, const char *subject);
/** Checks that there is no handshake; frees the client's context. */
#define FAILS(client, server, name, clients, servers) fails_at(__FILE__, __LINE__, client, server, name, clients, servers)
outcome fails_at(const char *file, int line, tlsmem_ctx *client, tlsmem_ctx *server, const char *name, int clients,
                 int servers);

/** A password callback: `user` is the password, or NULL to have none. Counts how often it was asked, and for what. */
ptrdiff_t tell(char *password, size_t size, const char *subject, void *user);
extern int times_asked;
extern char asked_for[512];

void forms(void);
void bad_files(void);
void pairs(void);
void names_asked(void);
void threads(void);

#endif
