/*
 * What the programs about reloading share: two configurations, and what may be wrong with one.
 */
#ifndef RELOADS_H
#define RELOADS_H

#include "pair.h"

typedef enum flaw { FLAW_NONE, FLAW_NO_FILE, FLAW_OTHER_KEY, FLAW_BAD_CA, FLAW_NO_TRUST, FLAWS } flaw;

/** The first configuration speaks "zero" with an ECDSA certificate, the second "one" with an RSA one. NULL when a setter
 *  has refused what is wrong; FLAW_NO_TRUST only shows when it is put in place. */
tlsmem_ctx *configured(int which, int flaw);

void reloads_under_load(tlsmem_ctx *client_ctx, int version);

#endif
