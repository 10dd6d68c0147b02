// The parts of Linux that Swift cannot see by itself: headers, and macros as functions. No logic.
#ifndef CLINUX_SHIMS_H
#define CLINUX_SHIMS_H

// No _GNU_SOURCE: it changes structs (fd_set) that Swift's own view of the C library has without it.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// As an object of Swift's is allocated: without memory the process ends here. UnsafeMutablePointer.allocate gives NULL then.
static inline void *clinux_allocate(size_t size) __attribute__((returns_nonnull));
static inline void *clinux_allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL)
        __builtin_trap();
    return memory;
}

static inline int clinux_errno(void) { return errno; }
static inline void clinux_set_errno(int code) { errno = code; }
static inline int clinux_is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }
static inline int clinux_set_close_on_exec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC); }
static inline int clinux_flags(int fd) { return fcntl(fd, F_GETFL); }
static inline int clinux_set_flags(int fd, int flags) { return fcntl(fd, F_SETFL, flags); }
static inline int clinux_is_socket(mode_t mode) { return S_ISSOCK(mode); }
// Bytes in a socket: not received yet, not acknowledged yet; -1 where that is not known.
static inline int clinux_unread(int fd) {
    int count = 0;
    return ioctl(fd, SIOCINQ, &count) == 0 ? count : -1;
}
static inline int clinux_unacknowledged(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : -1;
}
// POLLRDHUP, which is only declared for GNU.
static inline int clinux_peer_has_ended(void) { return 0x2000; }
// getcontext is a function that may return twice, which Swift does not call.
static inline int clinux_make_context(ucontext_t *made, ucontext_t *after, void *stack, size_t size,
                                      void (*body)(unsigned, unsigned), unsigned high, unsigned low) {
    if (getcontext(made) != 0)
        return -1;
    made->uc_stack.ss_sp = stack;
    made->uc_stack.ss_size = size;
    made->uc_link = after;
    makecontext(made, (void (*)(void))body, 2, high, low);
    return 0;
}

int accept4(int fd, struct sockaddr *restrict peer, socklen_t *restrict length, int flags);  // only declared for GNU

// Of counters that several threads have: nothing else is ordered by them.
static inline void clinux_add(uint64_t *to, uint64_t n) { __atomic_fetch_add(to, n, __ATOMIC_RELAXED); }
static inline uint64_t clinux_load(const uint64_t *from) { return __atomic_load_n(from, __ATOMIC_RELAXED); }
static inline int clinux_load_acquire(const int *from) { return __atomic_load_n(from, __ATOMIC_ACQUIRE); }
static inline void clinux_store_release(int *to, int value) { __atomic_store_n(to, value, __ATOMIC_RELEASE); }

#endif
