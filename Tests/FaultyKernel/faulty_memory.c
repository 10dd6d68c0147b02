/*
 * The memory of the faulty kernel: what is mapped, what OpenSSL asks for, and how many blocks of malloc are out.
 */
#define _GNU_SOURCE
#include "faulty_calls.h"
#include "sanitizers.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- mapped */

void *mmap(void *address, size_t n, int protection, int flags, int fd, off_t offset)
{
    NEXT(mmap);
    int fault = FAULT(FAULTY_MMAP, fd);
    if (fault > 0) {
        errno = fault;
        return MAP_FAILED;
    }
    return next(address, n, protection, flags, fd, offset);
}

int mprotect(void *address, size_t n, int protection)
{
    NEXT(mprotect);
    FAIL_IF_TOLD(FAULTY_MPROTECT, -1);
    return next(address, n, protection);
}

int munmap(void *address, size_t n)
{
    NEXT(munmap);
    FAIL_AFTER(FAULTY_MUNMAP, -1, next(address, n));
}

/*
 * ---- malloc's blocks. Not where the address sanitizer is, which has a malloc of its own, and looks for leaks by itself: the
 * faults of OpenSSL's malloc happen there too, and those of FAULTY_SWIFT, of which starved.c is made, nowhere.
 */

static long blocks;

long faulty_blocks(void)
{
    return __atomic_load_n(&blocks, __ATOMIC_RELAXED);
}

#ifndef ADDRESS_SANITIZER

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *counted(void *block)
{
    if (block != NULL)
        __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
    return block;
}

void *malloc(size_t n)
{
    return FAULT(FAULTY_SWIFT, -1) != 0 ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size) { return counted(__libc_calloc(n, size)); }
void *aligned_alloc(size_t alignment, size_t n) { return counted(__libc_memalign(alignment, n)); }
void *memalign(size_t alignment, size_t n) { return counted(__libc_memalign(alignment, n)); }

void free(void *block)
{
    if (block != NULL)
        __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
    __libc_free(block);
}

void *realloc(void *block, size_t n)
{
    void *moved = __libc_realloc(block, n);
    if (block == NULL)
        return counted(moved);
    if (n == 0 && moved == NULL)
        __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
    return moved;
}

int posix_memalign(void **block, size_t alignment, size_t n)
{
    if (FAULT(FAULTY_SWIFT, -1) != 0)
        return ENOMEM; /* and *block is as it was: POSIX says no more */
    *block = alignment <= 16 ? counted(__libc_malloc(n)) : aligned_alloc(alignment, n);
    return *block == NULL ? ENOMEM : 0;
}

#endif

/* ---- OpenSSL's */

static void *openssl_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return n == 0 || faulty_fault(FAULTY_OPENSSL, -1, NULL) != 0 ? NULL : malloc(n);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

static void *openssl_realloc(void *block, size_t n, const char *file, int line)
{
    if (block == NULL)
        return openssl_malloc(n, file, line);
    if (n == 0) {
        free(block);
        return NULL;
    }
    return faulty_fault(FAULTY_OPENSSL, -1, NULL) != 0 ? NULL : realloc(block, n);
}

int faulty_openssl(void)
{
    int (*set_functions)(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
                         void (*)(void *, const char *, int));
    void *symbol = dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions");
    memcpy(&set_functions, &symbol, sizeof symbol); /* the way from dlsym's pointer that ISO C allows */
    return symbol != NULL && set_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}
