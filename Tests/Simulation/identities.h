/* Certificates and keys, in PEM: servers are "localhost". */
#ifndef IDENTITIES_H
#define IDENTITIES_H

extern const char authority[];
extern const char p256_certificate[];
extern const char p256_key[];
extern const char ed25519_certificate[];
extern const char ed25519_key[];
extern const char rsa_certificate[];
extern const char rsa_key[];
extern const char client_certificate[];
extern const char client_key[];

#endif
