/*
 * For LeakSanitizer, over a debug build of the library: what that keeps of objects that are gone is no leak.
 *
 * A debug build never gives back the entry of a handle (Sources/tlsmem/HandleEntry.swift). The entries lie in pages of their
 * own, which the sanitizer does not search for pointers; each has a weak reference in it, and so keeps 32 bytes of Swift's
 * runtime, which point to the object. Were those pages searched (__lsan_register_root_region), or those bytes suppressed by
 * the name of who asks for them, then nothing that a program forgets to free would be told of either: it would be found from
 * there. So they are passed over one by one, at the end, and only those whose object is gone.
 *
 * This file is linked into the programs of asan-inside.
 */
#include <sanitizer/allocator_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <tlsmem.h>

enum { REFERENCE = 32, KEPT = 32 }; /* where an entry has its weak reference, and the bytes that this keeps */

/* Swift's own, in libswiftCore. */
extern void *swift_weakLoadStrong(void **reference);
extern void swift_release(void *object);

static char *first;

/** Returns what the weak reference of an entry keeps. */
static void *kept_by(char *entry)
{
    return *(void **)(void *)(entry + REFERENCE);
}

/** Returns the next entry: a handle is the address of one, and they are made one behind the other. A wire's, for it needs no
 *  OpenSSL, which some programs watch from its first allocation on. */
static char *next_entry(void)
{
    tlsmem_wire *wire = tlsmem_wire_new(NULL);
    if (wire == NULL || __sanitizer_get_allocated_size(kept_by((char *)wire)) != KEPT) {
        fprintf(stderr, "kept_by_debug: an entry is not as in HandleEntry.swift any more, or this is no debug build\n");
        abort();
    }
    tlsmem_wire_free(wire);
    return (char *)wire;
}

static void pass_over(void)
{
    char *last_but_one = next_entry(), *last = next_entry();
    for (char *entry = first; entry <= last; entry += last - last_but_one) {
        void *kept = kept_by(entry), *object = swift_weakLoadStrong(&kept);
        if (object != NULL)
            swift_release(object); /* it lives: the sanitizer has to find it from elsewhere */
        else
            __lsan_ignore_object(kept);
    }
}

/* Before the program, and before the sanitizer looks for leaks. */
__attribute__((constructor)) static void look_for_first(void)
{
    first = next_entry();
    atexit(pass_over);
}
