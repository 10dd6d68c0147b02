/*
 * tlsmem_loop_connect, in four files: whom it reaches and how (connects.c), what a program does to it meanwhile
 * (connects_meanwhile.c) and inside on_attempt (connects_inside.c), and names (connects_names.c).
 */
#ifndef CONNECTS_H
#define CONNECTS_H

#include "attempt.h"

extern tlsmem_loop *loop;
/** An echo server, and the port that it has. */
extern int live, live_port;
/** Whether this machine has IPv6, if only within itself. */
extern int has_six;

/** A new loop with an echo server on 127.0.0.1. */
void open_stage(void);
/** Frees it; checks that no descriptor is left of it. */
void close_stage(void);

void meanwhile(void);
void inside(void);
void names(void);

#endif
