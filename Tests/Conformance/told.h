/* What a debug build tells, in two files: wrong handles (told.c), and two threads at once (told_threads.c). */
#ifndef TOLD_H
#define TOLD_H

#include "pair.h"

/** Checks what a call returns, and that just this was told about it; NULL for nothing. */
#define TOLD(call, expected, sentence)                              \
    do {                                                            \
        CHECK_STATUS(call, expected);                               \
        check_told(__FILE__, __LINE__, #call, sentence);            \
    } while (0)
void check_told(const char *file, int line, const char *call, const char *sentence);

void two_threads(void);

#endif
