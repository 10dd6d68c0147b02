/* facts.h - whether a connection is what the flags say that it must be. */
#ifndef BOGO_FACTS_H
#define BOGO_FACTS_H

#include "flags.h"
#include "tls.h"

/** To be asked once the handshake is done, or early data is there. Says on stderr what is not as expected. */
bool facts_hold(struct tls *tls, const struct flags *flags, bool is_resumption);
/** The same of what is known at the end only: renegotiations, and the session that the server has given. */
bool facts_hold_at_the_end(struct tls *tls, const struct flags *flags);

#endif
