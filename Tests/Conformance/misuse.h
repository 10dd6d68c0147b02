/*
 * Wrong calls, in four files: NULL objects (misuse.c), other arguments, settings, and states. Each has its status.
 */
#ifndef MISUSE_H
#define MISUSE_H

#include "pair.h"

/** For the places where the contract leaves two answers open. */
#define CHECK_EITHER(call, one, other) check_either(__FILE__, __LINE__, #call, (long)(call), (long)(one), (long)(other))
static inline void check_either(const char *file, int line, const char *what, long got, long one, long other)
{
    check_at(file, line, got == one || got == other, "%s: got %s (%ld), expected %s or %s", what,
             tlsmem_status_name((int)got), got, tlsmem_status_name((int)one), tlsmem_status_name((int)other));
}

/** A length that was negative before it became a size_t, and the smallest of its kind. */
#define NEGATIVE SIZE_MAX
#define TOO_LONG ((size_t)PTRDIFF_MAX + 1)

void wrong_arguments(void);
void wrong_settings(void);
void wrong_states(void);

#endif
