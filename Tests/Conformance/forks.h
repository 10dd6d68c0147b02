/* What a child of fork may do with what is its parent's, in two files: connections (forks.c), and loops (forks_loops.c). */
#ifndef FORKS_H
#define FORKS_H

#include "child.h"
#include "pair.h"

extern tlsmem_ctx *client_ctx, *server_ctx;

void loops_of_the_parent(void);
void beside_resolver(void);

#endif
