/*
 * What is to become of a connection: drawn from the seed and its number, so that the same number is the same again.
 */
#ifndef PLAN_H
#define PLAN_H

#include "soak.h"

typedef enum ending {
    /* by agreement: every byte arrives */
    CLIENT_CLOSES, SERVER_CLOSES, HALF_CLOSES, BOTH_UNWRAP,
    /* in the middle */
    CLIENT_ABORTS, CLIENT_FREES, CLIENT_RESETS, CLIENT_CUTS,
    SERVER_ABORTS, SERVER_FREES, SERVER_RESETS, SERVER_CUTS,
    /* in the handshake, or because of it */
    GIVEN_UP, REFUSED, DISTRUSTED, UNANSWERED,
    /* by a deadline, or because the bytes are no good */
    STALLED, FLIPPED, SILENT, GARBAGE,
    ENDINGS
} ending;

typedef enum way { BY_LOOP, BY_FD, BY_BUFFERS, WAYS } way; /* the three faces of the library */

/** What a client is like; each kind has a context. */
enum { NEW_VERSION, OLD_VERSION, WITH_KEY, WITH_CERTIFICATE, WITH_VERDICT, KINDS };
/** Whom it asks for, by the names of the certificates that there are. */
enum { USUAL_NAME, OTHER_NAME, NAMES };
extern const char *const names[NAMES];
#define REFUSED_NAME "refused.example"

/** What the client tells the server of the plan, in front of what it sends. */
typedef struct order {
    uint32_t number, ending, request, answer, at, flags;
} order;
enum { READS_SLOWLY = 1, CORKS = 2, NEW_KEYS = 4 };

typedef struct plan {
    order order;
    way way, changes_to; /* changes_to: once it is established */
    int place, kind, name, resumes, early, eager, later, small_buffers;
    unsigned pause_ms;
} plan;

typedef struct ending_facts {
    const char *name;
    unsigned weight;
    uint64_t client, server; /* the statuses that on_close may have, as bits; 0: none comes */
} ending_facts;
extern const ending_facts ending_table[ENDINGS];

#define STATUS(status) (UINT64_C(1) << -(status))

/** The plan of the connection with this number. */
plan plan_of(uint64_t number);
/** It ends by agreement. */
int is_clean(uint32_t ending);
/** A socket without TLS is behind it. */
int is_bare(uint32_t ending);

#endif
