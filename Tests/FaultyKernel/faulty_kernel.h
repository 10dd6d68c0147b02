/*
 * A kernel that fails when it is told to: recv, send, accept4 and epoll_ctl of the whole process, with one fault at a
 * chosen call.
 *
 * Linked into a test program, its functions take the place of the C library's for the libraries too. Count the calls
 * of a clean run, then run again with the i-th call of a kind failing, for every i.
 */
#ifndef FAULTY_KERNEL_H
#define FAULTY_KERNEL_H

typedef enum faulty_call { FAULTY_RECV, FAULTY_SEND, FAULTY_ACCEPT, FAULTY_EPOLL_CTL, FAULTY_CALLS } faulty_call;
extern const char *const faulty_names[FAULTY_CALLS];

/** A fault that is no errno. */
enum {
    FAULTY_SHORT = -1,    /* recv and send: one byte is moved */
    FAULTY_END = -2       /* recv: 0, the end of file, now and in every later call on this fd */
};

/**
 * Forgets the counts, and arms one fault: the i-th call (from 1) of this kind fails with an errno, or as above.
 * i = 0 arms nothing. A connection that was reset stays reset: after ECONNRESET and EPIPE, recv and send of that fd
 * go on failing, and its peer sees the end of file. An EPOLL_CTL_DEL is counted and never fails.
 */
void faulty_arm(faulty_call call, long i, int fault);
/** Returns how many calls of a kind were made since then. */
long faulty_count(faulty_call call);
/** Returns whether the fault has happened, and on which fd (-1 before it has). */
int faulty_happened(void);
int faulty_fd(void);

#endif
