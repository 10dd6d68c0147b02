/* Text that grows by recordings, and those who record. */
#ifndef REPLAYS_H
#define REPLAYS_H

#include "support.h"

/** Bytes that grow. */
typedef struct text {
    char *bytes;
    size_t length;
} text;

void append(text *t, const void *bytes, size_t n);
text clear(text *t);
/** A recorder; user is a text. */
void record(const void *bytes, size_t n, void *user);

/** Who records a replay, and who frees the connection that is recorded. */
void recorders(void);

#endif
