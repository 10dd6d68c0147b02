/*
 * One connection over the buffers face, whose peer is the input: it says all that it has to say without waiting for an
 * answer. However the bytes are cut on their way, the same must come of them: each input is fed whole, and once more in
 * the pieces that it chooses.
 *
 *   byte 0       the context
 *   byte 1       what else: FLIGHT_...
 *   byte 2       how it is cut: 0 byte by byte, others into random pieces from this seed, of at most one byte more
 *   the rest     what the peer sends
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#include "fuzz.h"

#define FLIGHT_END 1   /* the end of file comes behind the bytes */
#define FLIGHT_PULL 2  /* no on_data: what came is read */
#define FLIGHT_WRITE 4 /* something is written before the handshake */
#define FLIGHT_CLOSE 8 /* and it is closed at once */
#define FLIGHT_LATER 16 /* questions are answered after their callback has returned */

/** What came of it. */
typedef struct {
    uint64_t sent_mark, data_mark; /* of the bytes in their order */
    size_t sent, data;
    int established, ends, closes, status, alert;
} outcome;

/** What a fuzzer of a first flight brings along. */
typedef struct {
    tlsmem_role role;
    tlsmem_ctx *(*context_of)(unsigned which);
    /** A new connection is set up. */
    void (*set_up)(tlsmem *c, unsigned which);
    /** An open question is answered. */
    void (*answer)(tlsmem *c, tlsmem_question question, uint64_t token);
    /** Whether the context does the same again, whatever it has done before. */
    int (*is_same_again)(unsigned which);
} flight;

/** That of this program. */
extern const flight fuzzed;

/** Who is at the other end: the bytes of an input, or whoever makes one. */
typedef struct {
    /** At most n bytes, or 0 at the end. */
    size_t (*next)(void *user, uint8_t *bytes, size_t n);
    /** What was sent to it. May be NULL. */
    void (*sent)(void *user, const void *bytes, size_t n);
    void *user;
} peer;

/** Each context is made once. */
#define FLIGHT_CONTEXTS 12
tlsmem_ctx *flight_context(unsigned which);
/** One connection of it, from its beginning to its end. */
outcome flight_once(unsigned which, unsigned flags, const peer *other);
/** For the callbacks that ask: whether it is answered later, and then the token is kept. */
int flight_asked(tlsmem *c, tlsmem_question question, uint64_t token);

#endif
