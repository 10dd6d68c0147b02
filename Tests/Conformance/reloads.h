/*
 * What the programs about reloading share: two configurations, and what may be wrong with one.
 */
#ifndef RELOADS_H
#define RELOADS_H

#include "pair.h"

typedef enum flaw { FLAW_NONE, FLAW_NO_FILE, FLAW_OTHER_KEY, FLAW_BAD_CA, FLAW_NO_TRUST, FLAW_BAD_KEYS, FLAW_OTHER_RESPONSE, FLAWS } flaw;

/** The OCSP responses of the two, and the byte that the names of their ticket keys are made of. */
extern const char *const responses[2];
extern const int key_bytes[2];
/** The first configuration speaks "zero" with an ECDSA certificate, the second "one" with an RSA one; each staples a response of
 *  its own, and seals tickets with a key of its own, which the other opens. NULL when a setter
 *  has refused what is wrong; FLAW_NO_TRUST only shows when it is put in place. */
tlsmem_ctx *configured(int which, int flaw);

void reloads_under_load(tlsmem_ctx *client_ctx, int version);

#endif
