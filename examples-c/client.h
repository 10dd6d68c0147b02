/*
 * client.h - what the example clients share: their context.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "common.h"

/** Makes a client's context, which trusts what the system trusts unless told otherwise. Ends the program on failure. */
tlsmem_ctx *client_context(const struct options *o);

#endif
