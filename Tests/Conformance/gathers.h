/*
 * Small writes that are gathered: what the programs about them share, over the client of a pair (pair.h).
 */
#ifndef GATHERS_H
#define GATHERS_H

#include "pair.h"

/** How many records a connection has made, and how often it has called send. */
typedef struct made { uint64_t records, sends; } made;
made made_by(const tlsmem *c);
/** Checks that a connection has made so many records since, and has called send so often (buffers face: never). */
#define CHECK_MADE(e, since, records, sends) check_made(__FILE__, __LINE__, &(e), since, records, sends)
void check_made(const char *file, int line, const end *e, made since, uint64_t records, uint64_t sends);
/** Checks that the peer has received all that was written, and nothing else. */
#define CHECK_ARRIVED(from, to) \
    CHECK((to).received == (from).sent && (to).wrong == 0, "%llu of %llu arrived, %d wrong", \
          (unsigned long long)(to).received, (unsigned long long)(from).sent, (to).wrong)

/** Writes the next n bytes of the pattern, all of which have to be taken. */
void put(end *e, size_t n);
/** The same `times` times. */
void put_many(end *e, int times, size_t n);
/** Plaintext of an end that waits. */
size_t held(const end *e);

/** Calls play for each face of the client, with a server in the buffers face, in TLS 1.2 and 1.3. */
void every_face(const char *name, const tlsmem_limits *limits, void (*play)(const scene *s));
/** Checks that nothing was wrong, and frees both ends, where there is no scene. */
void close_both(void);
/** Has the client's next on_data call `play`, within the pair's next turns. */
void in_on_data(void (*play)(end *e));

void gathers_corks(void);
void gathers_order(void);
void gathers_limits(void);
void gathers_keys(void);
void gathers_loops(void);
void gathers_places(void);

#endif
