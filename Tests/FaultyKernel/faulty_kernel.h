/*
 * A kernel that fails when it is told to: each system call of the library under test, with one fault at a chosen call.
 *
 * Linked into a test program, its functions take the place of the C library's for the libraries too, by subject:
 * faulty_sockets.c, faulty_descriptors.c, faulty_others.c (files, threads, the resolver) and faulty_memory.c. What the
 * program itself calls is neither counted nor hit. Count the calls of a clean run, then run again with the i-th call of
 * a kind failing, for every i.
 */
#ifndef FAULTY_KERNEL_H
#define FAULTY_KERNEL_H

typedef enum faulty_call {
    FAULTY_RECV, FAULTY_SEND, FAULTY_ACCEPT, FAULTY_EPOLL_CTL, FAULTY_SOCKET, FAULTY_BIND, FAULTY_LISTEN, FAULTY_CONNECT,
    FAULTY_SHUTDOWN, FAULTY_GETSOCKOPT, FAULTY_SETSOCKOPT, FAULTY_GETSOCKNAME, FAULTY_GETPEERNAME,
    FAULTY_EPOLL_CREATE, FAULTY_EPOLL_WAIT, FAULTY_EVENTFD, FAULTY_READ_EVENT, FAULTY_WRITE_EVENT, FAULTY_CLOSE,
    FAULTY_FCNTL, FAULTY_OPEN, FAULTY_READ, FAULTY_WRITE, FAULTY_FSTAT, FAULTY_STAT, FAULTY_LSTAT, FAULTY_UNLINK,
    FAULTY_GETRANDOM, FAULTY_ATTR_INIT, FAULTY_THREAD, FAULTY_KEY, FAULTY_SETSPECIFIC, FAULTY_GETADDRINFO, FAULTY_GETNAMEINFO,
    FAULTY_MMAP, FAULTY_MPROTECT, FAULTY_MUNMAP,
    FAULTY_OPENSSL, /* an allocation of OpenSSL's: faulty_openssl */
    FAULTY_SWIFT,   /* one of the library's own */
    FAULTY_CALLS
} faulty_call;
extern const char *const faulty_names[FAULTY_CALLS];

/** A fault that is no errno. */
enum {
    FAULTY_SHORT = -1001, /* recv, send, read, getrandom: one byte is moved */
    FAULTY_END = -1002    /* recv and read: 0, the end of file; of a socket now and in every later call */
};

/**
 * Forgets the counts, and arms one fault: the i-th call (from 1) of this kind fails with an errno, or as above, or, of the
 * resolver, with its own code. i = 0 arms nothing. A connection that was reset stays reset: after ECONNRESET and EPIPE,
 * recv and send of that fd go on failing, and its peer sees the end of file. What Linux does all the same is done: a
 * connect that is interrupted goes on, and close, shutdown and munmap have had their effect. An EPOLL_CTL_DEL is counted
 * and never fails.
 */
void faulty_arm(faulty_call call, long i, int fault);
/** The same for that call and all of its kind behind it. */
void faulty_arm_from(faulty_call call, long i, int fault);
/** While on, nothing is counted and nothing fails: for what the program does inside of a callback. */
void faulty_pause(int on);
/** Returns which call is to fail. */
faulty_call faulty_armed(void);
/** Returns how many calls of a kind were made since then. */
long faulty_count(faulty_call call);
/** Returns whether the fault has happened, and on which fd (-1 before it has, and where there is none). */
int faulty_happened(void);
int faulty_fd(void);

/** Has OpenSSL's allocations come through here. To be called before it makes the first. Returns whether it could. */
int faulty_openssl(void);
/** Returns how many blocks malloc has given out to everybody and not got back; 0 where it is another's malloc. */
long faulty_blocks(void);

#endif
