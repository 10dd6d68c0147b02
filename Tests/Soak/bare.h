/* Sockets of clients that speak no TLS: they say nothing, or garbage, and wait until they are shown out. */
#ifndef BARE_H
#define BARE_H

#include "talk.h"

/** Takes over a socket that is connecting. */
void bare_begin(int fd, int says_something, uint64_t number);
uint64_t bare_alive(void);

#endif
