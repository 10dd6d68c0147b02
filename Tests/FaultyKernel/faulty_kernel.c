#define _GNU_SOURCE
#include "faulty_calls.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *const faulty_names[FAULTY_CALLS] = {
    "recv", "send", "accept4", "epoll_ctl", "socket", "bind", "listen", "connect", "shutdown", "getsockopt", "setsockopt",
    "getsockname", "getpeername", "epoll_create1", "epoll_wait", "eventfd", "read of an eventfd", "write to an eventfd",
    "close", "fcntl", "open", "read", "write", "fstat", "stat", "lstat", "unlink", "getrandom", "pthread_attr_init",
    "pthread_create", "pthread_key_create", "pthread_setspecific", "getaddrinfo", "getnameinfo", "mmap", "mprotect", "munmap",
    "OpenSSL's malloc", "the library's malloc"
};

/* The resolver's threads count, too. */
static struct {
    faulty_call call;
    long i;
    int fault;
    int stays;
    int paused;
    int happened;
    int fd;               /* on which the fault happened, or -1 */
    int broken_fd;        /* of which the connection is gone, or -1 */
    long counts[FAULTY_CALLS];
} state = { .fd = -1, .broken_fd = -1 };

static uintptr_t first, last; /* where the library under test is */

static int look_at(struct dl_phdr_info *library, size_t size, void *user)
{
    (void)size, (void)user;
    if (library->dlpi_name == NULL || strstr(library->dlpi_name, "libtlsmem") == NULL)
        return 0;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        first = library->dlpi_addr + segment->p_vaddr;
        last = first + segment->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void look_for_library(void)
{
    dl_iterate_phdr(look_at, NULL);
}

static void arm(faulty_call call, long i, int fault, int stays)
{
    memset(&state, 0, sizeof state);
    state.call = call;
    state.i = i;
    state.fault = fault;
    state.stays = stays;
    state.fd = state.broken_fd = -1;
}

void faulty_arm(faulty_call call, long i, int fault)
{
    arm(call, i, fault, 0);
}

void faulty_arm_from(faulty_call call, long i, int fault)
{
    arm(call, i, fault, 1);
}

void faulty_pause(int on)
{
    state.paused = on;
}

faulty_call faulty_armed(void)
{
    return state.call;
}

long faulty_count(faulty_call call)
{
    return __atomic_load_n(&state.counts[call], __ATOMIC_RELAXED);
}

int faulty_happened(void)
{
    return __atomic_load_n(&state.happened, __ATOMIC_ACQUIRE);
}

int faulty_fd(void)
{
    return state.fd;
}

/*
 * A sanitizer has taken the place of many of them before us, and by its own names goes on from there; past it, it would not see
 * which memory a call reads and writes, nor know a thread that is joined.
 */
void *faulty_real(const char *name)
{
    char of_sanitizer[64];
    snprintf(of_sanitizer, sizeof of_sanitizer, "__interceptor_%s", name);
    void *found = dlsym(RTLD_DEFAULT, of_sanitizer);
    if (found == NULL)
        found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

void faulty_closed(int fd)
{
    if (fd == state.broken_fd)
        state.broken_fd = -1;
}

/** The fault of a call on a stream, which lasts when the connection is gone. */
static int lasting(faulty_call call, int fd, int fault)
{
    if (fault == ECONNRESET || fault == EPIPE || fault == FAULTY_END)
        state.broken_fd = fd;
    if (fault == ECONNRESET || fault == EPIPE)
        shutdown(fd, SHUT_RDWR);
    if (fault != 0 || state.broken_fd != fd)
        return fault;
    if (state.fault == FAULTY_END)
        return call == FAULTY_RECV ? FAULTY_END : 0; /* the peer has shut down its half only */
    return call == FAULTY_SEND ? EPIPE : ECONNRESET;
}

int faulty_fault(faulty_call call, int fd, const void *caller)
{
    if (((uintptr_t)caller < first || (uintptr_t)caller >= last) && call != FAULTY_OPENSSL)
        return 0;
    if (state.paused)
        return 0;
    long number = __atomic_add_fetch(&state.counts[call], 1, __ATOMIC_RELAXED);
    int fault = 0;
    if (call == state.call && state.i > 0 && (number == state.i || (state.stays && number > state.i))) {
        fault = state.fault;
        state.fd = fd;
        __atomic_store_n(&state.happened, 1, __ATOMIC_RELEASE);
    }
    return call == FAULTY_RECV || call == FAULTY_SEND ? lasting(call, fd, fault) : fault;
}
