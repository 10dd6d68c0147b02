/*
 * A part of a test in a child of fork: because it is about that, or because it changes what holds for a whole process.
 */
#ifndef CHILD_H
#define CHILD_H

#include "support.h"

extern int wrong_line;
/** A check in the child, of which the first that does not hold counts. */
#define HOLDS(good) (wrong_line = wrong_line == 0 && !(good) ? __LINE__ : wrong_line)
#define HOLDS_STATUS(call, expected) HOLDS((call) == (expected))

/** Does something in a child, which then ends without what belongs to an exit; a check in the parent says how it was. */
#define in_child(what) in_child_of(__FILE__, __LINE__, what)
void in_child_of(const char *file, int line, void (*what)(void));

#endif
