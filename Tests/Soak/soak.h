/*
 * Connections that come and go by the million, on real sockets: what the processes share, and what they count.
 *
 * There are three: a server and its clients, each with the library in it, and the one that has made them, which asks how much
 * memory they occupy and says at the end whether it was flat. From time to time no new connection begins until none is
 * left: at these quiet points all that was made must have been freed.
 */
#ifndef SOAK_H
#define SOAK_H

#include "../Conformance/support.h"

#include <sys/types.h>

typedef unsigned long long number; /* so that it can be printed as it is */

enum { SERVER, CLIENTS, SIDES };
extern const char *const side_names[SIDES];

/** What a process says of itself when no connection is left. */
typedef struct quiet {
    long resident_kilobytes; /**< as it is */
    long trimmed_kilobytes;  /**< once malloc has given back what it keeps for later */
    long given_out;          /**< bytes that malloc has given out */
    long descriptors;
    long of_contexts;        /**< connections that the library counts: tlsmem_ctx_stats */
    long of_loop;            /**< the same: tlsmem_loop_stats */
    long deadlines;          /**< deadlines and timers of the loop */
    number begun, freed, ended, clean; /**< as in `counts`; ended: on_close came, or it was freed without it */
} quiet;

/** What a process counts; it writes, and the others read at any time. */
typedef struct counts {
    pid_t pid;
    number begun, freed;      /**< connections */
    number alive, alive_most; /**< of them, now; and at most */
    number closes;            /**< times that on_close came */
    number left;              /**< connections that were freed without it */
    number clean;             /**< that ended as agreed, with every byte */
    number established, resumed, early, changes, questions, reloads, bare;
    number sent, received;    /**< bytes of plaintext */
    number statuses[48];      /**< with which on_close came */
    int rested;                 /**< the quiet point that it has come to */
    quiet quiet;                /**< how it was there */
} counts;

/** Where the server listens: by its loop, on several ports, so that there are always some that are free to connect from; by
 *  itself; by its loop, with little patience; by its loop, on a Unix socket. */
enum { TO_LOOP, TO_OWN, TO_IMPATIENT, TO_UNIX };
enum { LOOP_PORTS = 4 };

enum { LONG_RUN = 20000 }; /* a run of fewer connections is a short one */

/** In memory that all three have. */
typedef struct soak {
    number seed, connections, most; /**< most: at once */
    int loop_ports[LOOP_PORTS], own_port, impatient_port;
    char path[64];
    int quiet_asked;      /**< the quiet point that is asked for; connections begin while it is the last that was come to */
    int is_over;
    number wrong;       /**< what was wrong, in any process */
    counts counts[SIDES];
} soak;
extern soak *shared;

/** One thread has each count to write. */
#define ADD(count, n) __atomic_fetch_add(&(count), (n), __ATOMIC_RELAXED)
#define GET(count) __atomic_load_n(&(count), __ATOMIC_RELAXED)
#define SET(count, n) __atomic_store_n(&(count), (n), __ATOMIC_RELAXED)

/** Says what is wrong, with the seed. */
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The two processes: they return when it is over. */
void serve(void);
void visit(void);

/** Fills in what a process occupies, itself. */
void look_at_oneself(quiet *now);
/** The memory that a process occupies. */
long resident_kilobytes(pid_t pid);

#endif
