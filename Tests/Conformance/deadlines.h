/*
 * deadlines.h - what the two files of deadlines.c share.
 */
#ifndef DEADLINES_H
#define DEADLINES_H

#include "pair.h"

/** Has an end's deadline looked at late; in its face and version. */
void late_deadlines(const scene *s);

#endif
