/*
 * What the files of the faulty kernel share: a function that takes the C library's place, and may fail.
 */
#ifndef FAULTY_CALLS_H
#define FAULTY_CALLS_H

#include "faulty_kernel.h"

#include <errno.h>
#include <stddef.h>

/** Counts a call, if it is the library's. Returns the fault that it is to suffer, or 0. */
int faulty_fault(faulty_call call, int fd, const void *caller);
/** A number that is used again is another file. */
void faulty_closed(int fd);
/** Finds the function whose place we have taken. */
void *faulty_real(const char *name);

/** Declares `next`, the function whose place we have taken. */
#define NEXT(name)                                 \
    static __typeof__(&name) next;                 \
    if (next == NULL)                              \
        *(void **)&next = faulty_real(#name)

/** What this call is to suffer. */
#define FAULT(call, fd) faulty_fault(call, fd, __builtin_return_address(0))

/** Fails with an errno if this call is to. */
#define FAIL_IF_TOLD(call, fd)                     \
    do {                                           \
        int fault = FAULT(call, fd);               \
        if (fault > 0) {                           \
            errno = fault;                         \
            return -1;                             \
        }                                          \
    } while (0)

/** Does it, and says that it has failed if it is to. */
#define FAIL_AFTER(call, fd, work)                 \
    do {                                           \
        int fault = FAULT(call, fd);               \
        int result = work;                         \
        if (fault > 0) {                           \
            errno = fault;                         \
            return -1;                             \
        }                                          \
        return result;                             \
    } while (0)

#endif
