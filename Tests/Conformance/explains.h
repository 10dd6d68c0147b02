/* What is said of connections that are stuck: explains.c has those in a handshake, explains_open.c the others. */
#ifndef EXPLAINS_H
#define EXPLAINS_H

#include "regressions.h"

/** What was said last. */
extern char said_text[2048];
/** Checks that what is said of a connection has all of these in it. */
#define SAYS(c, ...) says_at(__FILE__, __LINE__, c, (const char *const[]){ __VA_ARGS__, NULL })
void says_at(const char *file, int line, const tlsmem *c, const char *const *parts);

void stuck_when_open(void);
void stuck_at_the_end(void);
void stuck_in_loops(void);
void numbers_and_lines(void);

#endif
