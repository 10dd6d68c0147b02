/* malloc of the whole process, counted: what a seed has taken, it gives back. */
#include "simulation.h"

#include <errno.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static long blocks;

long memory_blocks(void)
{
    return blocks;
}

static void *counted(void *block)
{
    blocks += block != NULL;
    return block;
}

void *malloc(size_t n)
{
    return counted(__libc_malloc(n));
}

void *calloc(size_t count, size_t n)
{
    return counted(__libc_calloc(count, n));
}

void *realloc(void *block, size_t n)
{
    void *moved = __libc_realloc(block, n);
    if (block == NULL)
        return counted(moved);
    blocks -= n == 0;
    return moved;
}

void *memalign(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

int posix_memalign(void **block, size_t alignment, size_t n)
{
    *block = counted(__libc_memalign(alignment, n));
    return *block == NULL ? ENOMEM : 0;
}

void free(void *block)
{
    blocks -= block != NULL;
    __libc_free(block);
}
