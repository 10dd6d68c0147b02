/*
 * What a compiled program has baked into it: sizes and places of every public struct, the number of every status and
 * constant, on 64-bit systems (LP64). Nothing in the files beside this one may change; a struct that grows at its end
 * raises its size there and adds its places, nothing else. Compiled, not run, as C99, C11, C17 and C++17.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <tlsmem.h>

#if defined(__cplusplus)
#define HOLDS(claim) static_assert(claim, #claim)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define HOLDS(claim) _Static_assert(claim, #claim)
#else
/* C99 has no static assertion: an array of -1 elements is an error too. */
#define HOLDS_LINE(claim, line) typedef char holds_##line[(claim) ? 1 : -1]
#define HOLDS_AT(claim, line) HOLDS_LINE(claim, line)
#define HOLDS(claim) HOLDS_AT(claim, __LINE__)
#endif

#define SIZE(type, bytes) HOLDS(sizeof(type) == (bytes))
#define PLACE(type, member, bytes) HOLDS(offsetof(type, member) == (bytes))

#endif
