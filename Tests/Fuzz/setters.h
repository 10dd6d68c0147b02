/* The formats that the fuzzer of setters knows; a new one goes to the end, for the sake of the corpus. */
#ifndef SETTERS_H
#define SETTERS_H

#include "fuzz.h"

typedef struct {
    const char *name;
    int is_text;
    /** Returns the setter's status. `bytes` of text end with a zero behind n. */
    int (*set)(tlsmem_ctx *ctx, tlsmem_role role, const char *bytes, size_t n, unsigned more);
} format;

extern const format formats[];
extern const unsigned formats_count;

/** The other end of a connection that is tried with what was set; made once. */
tlsmem_ctx *peer_server(void);
tlsmem_ctx *peer_client(void);

#endif
