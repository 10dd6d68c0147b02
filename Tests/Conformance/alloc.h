/*
 * OpenSSL's allocator, of which the test decides when it has no memory left, and in which it looks for what should be gone.
 */
#ifndef ALLOC_H
#define ALLOC_H

#include "support.h"

extern long allocations; /* since this was last set to 0 */
extern long fail_at;     /* the number of the one that fails; 0 for none */
extern int fail_all;     /* those behind it fail too */
extern long failures;    /* that were made to happen since this was last set to 0 */
extern long live;        /* blocks that OpenSSL holds now */

extern const char *secret; /* what is looked for in each block that is given back */
extern size_t secret_length;
extern long found;         /* how many it was in */

/** A setter: without memory it says so, and the context can be told again. Returns whether it was taken. */
int set(const char *what, int status);

void identities(void);
void settings(void);
void nothing_is_spoiled(void);
void early_data(void);
void answers(void);
void test_kit(void);

#endif
