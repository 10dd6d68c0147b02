/* What a child of fork may do with what is its parent's, in two files: connections (forks.c), and loops (forks_loops.c). */
#ifndef FORKS_H
#define FORKS_H

#include "pair.h"

extern int wrong_line;
/** A check in the child, of which the first that does not hold counts. */
#define HOLDS(good) (wrong_line = wrong_line == 0 && !(good) ? __LINE__ : wrong_line)
#define HOLDS_STATUS(call, expected) HOLDS((call) == (expected))

/** Does something in a child, which then ends without what belongs to an exit; a check in the parent says how it was. */
void in_child(void (*what)(void));

extern tlsmem_ctx *client_ctx, *server_ctx;

void loops_of_the_parent(void);
void beside_resolver(void);

#endif
