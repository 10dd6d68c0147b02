/*
 * An OpenSSL whose memory BIOs have another BIO_reset, for a library that uses their memory where that is safe.
 *
 * To be preloaded. TLSMEM_TEST_BIO says what BIO_reset does: "nothing"; "clears", whatever the flags say; "own", what
 * it always does. At its end the process fails unless the library has kept to BIO_write for what it receives, or, with
 * "own", has not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <openssl/bio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_TRIED = 5 }; /* bytes in one call: the library tries out its BIOs with single ones */

static atomic_long pieces, resets;

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

static int is(const char *kind)
{
    const char *wanted = getenv("TLSMEM_TEST_BIO");
    return wanted != NULL && strcmp(wanted, kind) == 0;
}

/** Whether a call comes from the library under test. */
static int is_from_library(const void *caller)
{
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "libtlsmem") != NULL;
}

long BIO_ctrl(BIO *bio, int command, long number, void *pointer)
{
    static long (*next)(BIO *, int, long, void *);
    if (next == NULL)
        *(void **)&next = real("BIO_ctrl");
    if (command != BIO_CTRL_RESET || BIO_method_type(bio) != BIO_TYPE_MEM || is("own"))
        return next(bio, command, number, pointer);
    resets++;
    if (is("nothing"))
        return 1;
    int flags = BIO_test_flags(bio, BIO_FLAGS_NONCLEAR_RST);
    BIO_clear_flags(bio, BIO_FLAGS_NONCLEAR_RST);
    long answer = next(bio, command, number, pointer);
    BIO_set_flags(bio, flags);
    return answer;
}

int BIO_write(BIO *bio, const void *bytes, int n)
{
    static int (*next)(BIO *, const void *, int);
    if (next == NULL)
        *(void **)&next = real("BIO_write");
    if (n > LARGEST_TRIED && is_from_library(__builtin_return_address(0)))
        pieces++;
    return next(bio, bytes, n);
}

__attribute__((destructor)) static void judge(void)
{
    int good = is("own") ? pieces == 0 : (is("nothing") || is("clears")) && pieces > 0 && resets > 0;
    fflush(stdout);
    printf("%s: %s: %ld pieces by BIO_write, %ld other resets%s\n", program_invocation_short_name,
           getenv("TLSMEM_TEST_BIO"), pieces, resets, good ? "" : ": FAILED, it should be otherwise");
    fflush(stdout);
    if (!good)
        _exit(1);
}
