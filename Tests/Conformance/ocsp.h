/*
 * What the programs about OCSP responses share.
 */
#ifndef OCSP_H
#define OCSP_H

#include "meeting.h"

/** Reads a file of the certificate folder; its bytes are the caller's. */
unsigned char *contents(const char *name, size_t *n);
/** Makes a server's context with one certificate. */
tlsmem_ctx *server_with(const char *name, int version);
/** Makes a client's context that asks for responses, or insists on them. */
tlsmem_ctx *asking(int version, int insists);

/** What servers give to their clients. */
void given_by_servers(int version);
/** What programs say when they are asked. */
void asked_for_responses(int version);

#endif
