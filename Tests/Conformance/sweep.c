/*
 * The sweep itself: which call can fail how, and what may follow. SWEEP_MOST bounds how many calls of a kind are tried with
 * each fault (evenly spread; three times as many where there are many); SWEEP_SCENE names the one scene to be played. sweep.h says what is checked.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <stdbool.h>

/* What may follow: a set of statuses, with which a call is refused or a connection ends. None: nobody notices. */
#define MAY(status) (1ull << -(status))
#define ENDS (MAY(TLSMEM_ERESET) | MAY(TLSMEM_ETRUNCATED) | MAY(TLSMEM_EHANDSHAKEEOF) | MAY(TLSMEM_ESYSTEM))
#define SYSTEM MAY(TLSMEM_ESYSTEM)
#define UNCONNECTED (MAY(TLSMEM_ECONNECT) | MAY(TLSMEM_ERESOLVE))
#define REFUSED MAY(TLSMEM_ECONFIG)
#define MEMORY (ENDS | MAY(TLSMEM_ENOMEM) | MAY(TLSMEM_EALERT))

typedef struct kind {
    faulty_call call;
    uint64_t may;
    int faults[12]; /* ended by 0 */
} kind;

/*
 * By the man pages. Not here: what only a wrong argument gives (EBADF, EFAULT, EINVAL, ENOTSOCK), and calls that do not
 * fail on Linux with what they are given (clock_gettime, time, sigfillset, pthread_sigmask, mutexes, getcontext,
 * inet_ntop). dlopen and dlsym: international.c. pthread_key_create, once in a process: starved.c.
 */
static const kind kinds[] = {
    { FAULTY_RECV, 0, { EAGAIN, EINTR, FAULTY_SHORT } },
    { FAULTY_RECV, ENDS, { ECONNRESET, FAULTY_END, ENOMEM, ETIMEDOUT, EHOSTUNREACH, ECONNREFUSED } },
    { FAULTY_SEND, 0, { EAGAIN, EINTR, FAULTY_SHORT } },
    { FAULTY_SEND, ENDS, { ECONNRESET, EPIPE, ENOBUFS, ENOMEM, ETIMEDOUT, EHOSTUNREACH, EPERM } },
    { FAULTY_ACCEPT, 0, { EAGAIN, EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO, ENETDOWN } },
    { FAULTY_SHUTDOWN, 0, { ENOTCONN } },
    { FAULTY_CLOSE, 0, { EINTR, EIO } },
    { FAULTY_SOCKET, SYSTEM | UNCONNECTED, { EMFILE, ENFILE, ENOBUFS, ENOMEM, EAFNOSUPPORT, EACCES } },
    { FAULTY_BIND, SYSTEM | UNCONNECTED, { EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM, ENOSPC, EROFS } },
    { FAULTY_LISTEN, SYSTEM, { EADDRINUSE } },
    { FAULTY_CONNECT, 0, { EINTR } },
    { FAULTY_CONNECT, SYSTEM | UNCONNECTED,
      { ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EACCES, EPERM, EAGAIN } },
    { FAULTY_GETSOCKOPT, ENDS | UNCONNECTED, { ENOBUFS, ENOPROTOOPT } },
    { FAULTY_SETSOCKOPT, SYSTEM, { ENOPROTOOPT, ENOMEM, ENOBUFS } },
    { FAULTY_GETSOCKNAME, SYSTEM, { ENOBUFS } },
    { FAULTY_GETPEERNAME, 0, { ENOBUFS, ENOTCONN } },
    { FAULTY_EPOLL_CREATE, SYSTEM, { EMFILE, ENFILE, ENOMEM } },
    { FAULTY_EPOLL_CTL, ENDS | UNCONNECTED, { ENOMEM, ENOSPC } },
    { FAULTY_EPOLL_WAIT, 0, { EINTR } },
    { FAULTY_EVENTFD, SYSTEM, { EMFILE, ENFILE, ENODEV, ENOMEM } },
    { FAULTY_READ_EVENT, 0, { EAGAIN, EINTR } },
    { FAULTY_WRITE_EVENT, 0, { EINTR } },
    { FAULTY_FCNTL, SYSTEM | MAY(TLSMEM_AGAIN), { EBADF, EPERM } },
    { FAULTY_OPEN, REFUSED, { EMFILE, ENFILE, ENOENT, EACCES, EINTR, ENOMEM, EIO, ELOOP } },
    { FAULTY_READ, 0, { EINTR, FAULTY_SHORT } },
    { FAULTY_READ, REFUSED, { EIO, FAULTY_END } },
    { FAULTY_WRITE, 0, { ENOSPC, EIO, EDQUOT, EFBIG, EAGAIN, EINTR, FAULTY_SHORT } },
    { FAULTY_FSTAT, REFUSED, { ENOMEM, EIO, EOVERFLOW } },
    { FAULTY_STAT, REFUSED, { ENOENT, EACCES, ENOMEM, ELOOP } },
    { FAULTY_LSTAT, SYSTEM, { ENOENT, EACCES, ENOMEM } },
    { FAULTY_UNLINK, SYSTEM, { EACCES, EBUSY, EIO, EROFS, EPERM } },
    { FAULTY_GETRANDOM, 0, { EINTR, ENOSYS, FAULTY_SHORT } },
    { FAULTY_ATTR_INIT, SYSTEM, { ENOMEM } },
    { FAULTY_THREAD, SYSTEM, { EAGAIN } },
    { FAULTY_SETSPECIFIC, 0, { ENOMEM } },
    { FAULTY_GETADDRINFO, SYSTEM | UNCONNECTED | MAY(TLSMEM_EINVAL), /* an address in digits is none then */
      { EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_NONAME, EAI_SYSTEM } },
    { FAULTY_GETNAMEINFO, 0, { EAI_MEMORY, EAI_FAIL, EAI_SYSTEM } },
    { FAULTY_MMAP, MEMORY, { ENOMEM, EAGAIN } },
    { FAULTY_MPROTECT, MEMORY, { ENOMEM } },
    { FAULTY_MUNMAP, 0, { ENOMEM } },
    { FAULTY_OPENSSL, ~0ull, { ENOMEM } },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const scene *const scenes[] = { &load_scene, &listen_scene, &traffic_scene, &renegotiation_scene, &connect_scene,
                                       &answers_scene, &visits_scene };
enum { SCENES = sizeof scenes / sizeof *scenes };

/* ---- the fault that is armed */

static uint64_t may;
static bool lasts;

int sweep_excuses(int status)
{
    return status == TLSMEM_OK || (faulty_happened() && status < 0 && status >= TLSMEM_ESIGN && (may & MAY(status)) != 0);
}

int sweep_is_clean(void)
{
    return may == 0 || !faulty_happened();
}

int sweep_lasts(void)
{
    return lasts;
}

int sweep_took(const char *file, int line, const char *what, int status)
{
    check_at(file, line, status == TLSMEM_OK || (sweep_lasts() && sweep_excuses(status)), "%s: %s%s", what,
             tlsmem_status_name(status), sweep_excuses(status) ? ", also without a fault" : "");
    return status == TLSMEM_OK;
}

tlsmem *sweep_new(tlsmem_ctx *ctx, const tlsmem_callbacks *cb, void *user)
{
    tlsmem *c = NULL;
    IGNORE(TRY((c = tlsmem_new(ctx, cb, user)) != NULL ? TLSMEM_OK : TLSMEM_ENOMEM));
    return c;
}

tlsmem_ctx *sweep_ctx_new(tlsmem_role role)
{
    tlsmem_ctx *ctx = NULL;
    IGNORE(TRY((ctx = tlsmem_ctx_new(role)) != NULL ? TLSMEM_OK : TLSMEM_ENOMEM));
    return ctx;
}

/* ---- the sweep */

static long counts[FAULTY_CALLS];

/** Plays a scene with one fault armed. Returns how many blocks of memory there are more than before. */
static long play(const scene *s, const kind *k, long i, int fault)
{
    int descriptors = open_descriptors();
    long blocks = faulty_blocks();
    may = k != NULL ? k->may : 0;
    if (lasts)
        faulty_arm_from(k->call, i, fault);
    else
        faulty_arm(k != NULL ? k->call : FAULTY_RECV, i, fault);
    s->play();
    while (sweep_others_work())
        sched_yield();
    CHECK(open_descriptors() == descriptors, "%d descriptors, %d before", open_descriptors(), descriptors);
    return faulty_blocks() - blocks;
}

static const char *name_of(const kind *k, int fault)
{
    if (fault == FAULTY_SHORT)
        return "one byte";
    if (fault == FAULTY_END)
        return "end of file";
    if (k->call == FAULTY_OPENSSL)
        return lasts ? "none, nor any later" : "none";
    return fault < 0 ? gai_strerror(fault) : strerrorname_np(fault);
}

/** What a thread or OpenSSL keeps for later it keeps once; what is lost is lost each time. */
static void try(const scene *s, const kind *k, long i, int fault)
{
    enum { TIMES = 4 };
    situation("%s, call %ld of %ld of %s: %s", s->name, i, counts[k->call], faulty_names[k->call], name_of(k, fault));
    long more = play(s, k, i, fault);
    for (int times = 1; more > 0 && times < TIMES; times++)
        more = play(s, k, i, fault);
    CHECK(more <= 0, "%ld blocks of memory are lost each time", more);
}

/** Tries a call in one way, at as many places as there are, or as are wanted. */
static void sweep(const scene *s, const kind *k, int fault, long most, long tally[2])
{
    long calls = counts[k->call], tries = calls < most ? calls : most;
    for (long t = 0; t < tries; t++) {
        try(s, k, 1 + t * calls / tries, fault);
        tally[0]++;
        tally[1] += faulty_happened();
    }
}

static void sweep_scene(const scene *s, long tallies[FAULTY_CALLS][2])
{
    long most = setting("SWEEP_MOST", 1);
    long more = 0;
    situation("%s, nothing fails", s->name);
    for (int warm = 0; warm < 4 || (more > 0 && warm < 16); warm++) /* a thread may begin late */
        more = play(s, NULL, 0, 0);
    CHECK(more <= 0, "%ld blocks of memory are lost each time", more);
    for (int call = 0; call < FAULTY_CALLS; call++)
        counts[call] = faulty_count((faulty_call)call);
    for (const kind *k = kinds; k < kinds + KINDS; k++)
        for (const int *fault = k->faults; *fault != 0; fault++) {
            /* A kernel that says "not now" without being full, and so without an edge to come, would not be one. */
            if (*fault == EAGAIN && k->call <= FAULTY_SEND && setting("TLSMEM_TEST_EDGE", 0) != 0)
                continue;
            long share = most * (k->call == FAULTY_OPENSSL ? 10 : k->call <= FAULTY_SEND ? 3 : 1); /* there are more of them */
            sweep(s, k, *fault, share, tallies[k->call]);
            if (k->call != FAULTY_OPENSSL)
                continue;
            lasts = true;
            sweep(s, k, *fault, share, tallies[k->call]);
            lasts = false;
        }
}

int main(void)
{
    static long tallies[FAULTY_CALLS][2];
    const char *wanted = getenv("SWEEP_SCENE");
    long tried = 0, happened = 0;
    begin("sweep");
    MUST(faulty_openssl());
    for (int i = 0; i < SCENES; i++)
        if (wanted == NULL || strcmp(wanted, scenes[i]->name) == 0)
            sweep_scene(scenes[i], tallies);
    for (int call = 0; call < FAULTY_CALLS; call++) {
        if (tallies[call][0] > 0)
            printf("sweep: %-20s %6ld faults tried, %6ld happened\n", faulty_names[call], tallies[call][0], tallies[call][1]);
        CHECK(tallies[call][0] > 0 || call == FAULTY_SWIFT || call == FAULTY_KEY || wanted != NULL, "no scene calls %s", faulty_names[call]);
        tried += tallies[call][0];
        happened += tallies[call][1];
    }
    printf("sweep: %-20s %6ld faults tried, %6ld happened\n", "all", tried, happened);
    /* The kernel cuts TCP a little differently each time: the last calls of a run may not come in the next. */
    CHECK(happened >= tried * 8 / 10, "only %ld of %ld faults happened", happened, tried);
    return finish();
}
