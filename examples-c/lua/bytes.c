/* bytes.c - bytes that have to wait: of malloc, because the library's callbacks add to them, where no Lua may run. */
#include "module.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 4096, KEPT = 65536 };

/* Returns where there is room for so many behind what is there, or NULL. */
static char *make_room(struct bytes *bytes, size_t n)
{
    if (bytes->start > 0 && (bytes->n == 0 || bytes->room - bytes->start - bytes->n < n)) {
        memmove(bytes->memory, bytes->memory + bytes->start, bytes->n); /* less often than it is added to: see below */
        bytes->start = 0;
    }
    if (bytes->room - bytes->start - bytes->n < n) {
        size_t room = bytes->n + n < LEAST ? LEAST : (bytes->n + n) * 2;
        char *memory = n < SIZE_MAX / 4 ? realloc(bytes->memory, room) : NULL;
        if (memory == NULL)
            return NULL;
        bytes->memory = memory;
        bytes->room = room;
    }
    return bytes->memory + bytes->start + bytes->n;
}

int bytes_add(struct bytes *bytes, const void *from, size_t n)
{
    char *to = n > 0 ? make_room(bytes, n) : NULL;
    if (n > 0 && to == NULL)
        return -1;
    if (n > 0)
        memcpy(to, from, n);
    bytes->n += n;
    return 0;
}

/* What is dropped is only counted, and moved away when room is needed, which by doubling is seldom. */
void bytes_drop(struct bytes *bytes, size_t n)
{
    bytes->start += n;
    bytes->n -= n;
    if (bytes->n == 0 && bytes->room > KEPT)
        bytes_free(bytes);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->memory);
    *bytes = (struct bytes) { NULL, 0, 0, 0 };
}
