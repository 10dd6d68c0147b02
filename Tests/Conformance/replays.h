/*
 * What the programs about recordings share.
 */
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

/** What was recorded last, and what the recorded connection has sent. */
extern text recording, sent;
/** For tlsmem_set_record_cb: `user` is a text. */
void record(const void *bytes, size_t n, void *user);
tlsmem_ctx *seeded_context(int version);
/** Feeds a recording to a new connection. Returns what tlsmem_replay does. */
int replay(int version, const text *from, text *bytes, text *calls, int seeded_anew);

void recorded_again(void);
void freed_by_its_recorder(void);
void moments(void);
void endings(void);

#endif
