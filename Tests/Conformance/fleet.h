/*
 * What the programs about a fleet of servers share: keys for tickets as the tests have them.
 */
#ifndef FLEET_H
#define FLEET_H

#include "sessions.h"

/** A key that is 80 times one byte; times are seconds from the beginning of the program on. */
typedef struct known_key {
    unsigned char byte;
    int from, until, end;
} known_key;

/** Appends the line of such a key to a text that has room for it. Returns the text. */
char *add_line(char *text, known_key key);
/** The same key as a struct. */
tlsmem_ticket_key key_of(known_key key);
/** A server's context with the first n keys. */
tlsmem_ctx *server_with_keys(int version, const known_key *keys, int n);
/** A server's context that asks clients for certificates, and a client's that has one. */
tlsmem_ctx *asking_server(int version, const known_key *key);
tlsmem_ctx *known_client(int version);

void fleet_keys(int version);
void fleet_asked(int version);
void fleet_files(void);
void fleet_store(int version);

#endif
