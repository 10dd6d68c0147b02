/*
 * Wrong calls, in nine files: NULL objects (misuse.c, misuse_kit.c), other arguments, settings, those that come too late, what is said of
 * them, whom we trust, texts for a person, and states. Each has its status.
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

/** Refused with TLSMEM_ECONFIG, and tlsmem_ctx_error has a sentence about it. */
#define REFUSED(ctx, call) refused_at(__FILE__, __LINE__, ctx, #call, call)
static inline void refused_at(const char *file, int line, tlsmem_ctx *ctx, const char *what, int status)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    check_at(file, line, status == TLSMEM_ECONFIG, "%s: %s, expected TLSMEM_ECONFIG", what, tlsmem_status_name(status));
    check_at(file, line, tlsmem_ctx_error(ctx, &error) == TLSMEM_OK && error.status == status
             && error.sentence[0] != 0, "%s: tlsmem_ctx_error says %s, \"%s\"", what, tlsmem_status_name(error.status),
             error.sentence);
}

void null_kit(void);
void wrong_arguments(void);
void wrong_settings(void);
void late_settings(void);
void wrong_values(void);
void wrong_trust(void);
void wrong_texts(void);
void wrong_states(void);
/** Every function of the header whose declaration has `taking` in it occurs in that source, as a call. */
void no_function_is_forgotten(const char *path, const char *other, const char *taking);

#endif
