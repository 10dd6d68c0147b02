/*
 * What every part of the simulator shares: the choices that make a seed, chance, the journal, and how it fails.
 *
 * Nothing here may depend on an address, on real time, or on what another seed has left behind: a seed is the same run
 * in every process.
 */
#ifndef SIMULATION_H
#define SIMULATION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlsmem.h>

/* ---- choices */

/** What the kernel may do to a program, each of them to be switched off by itself. */
typedef enum fault {
    FAULT_CUT, FAULT_DELAY, FAULT_SMALL, FAULT_REFUSE, FAULT_EINTR, FAULT_ENOBUFS, FAULT_ENOMEM, FAULT_RESET, FAULT_FIN,
    FAULT_STALL, FAULT_REFUSED, FAULT_TIMEDOUT, FAULT_EMFILE, FAULT_SPURIOUS, FAULT_ORDER, FAULT_JUMP, FAULTS
} fault;
extern const char *const fault_names[FAULTS];

/** A seed, and what of it is left: the shrinker takes away. */
typedef struct choices {
    uint64_t seed;
    int connections; /* -1: as the seed says */
    int actions;     /* of the applications; -1 likewise */
    unsigned faults; /* bits of those that may happen */
    unsigned deeds;  /* bits of what applications may do (application.h) */
    unsigned settings; /* bits of what contexts may have beside the usual (contexts.h) */
} choices;
extern choices chosen;

/* ---- chance: one stream for each purpose, all of one seed */

typedef struct chance { uint64_t state; } chance;
extern chance kernel_chance, world_chance, application_chance, crypto_chance;

void chance_begin(uint64_t seed);
uint64_t chance_next(chance *c);
/** Returns 0 to below - 1; 0 for below 1. */
uint64_t chance_below(chance *c, uint64_t below);
/** Whether something happens that happens so many times in a thousand. */
int chance_permille(chance *c, unsigned permille);
/** Returns 1 to most, small ones as likely as large ones. */
size_t chance_size(chance *c, size_t most);
/** OpenSSL's random numbers come from crypto_chance from now on. */
void chance_replaces_openssl(void);

/* ---- the journal: everything that happened, as a hash, and the last of it for who looks into a failure */

void journal_begin(void);
/** Notes an event; `what` is static. */
void note(const char *what, long a, long b, long c);
uint64_t journal_hash(void);
void journal_print(FILE *to, int most);
/** The same for the events of one connection. */
void journal_print_of(FILE *to, int connection, int most);

/** An invariant does not hold: remembers it, and leaves the run. `invariant` is a short name that the shrinker compares. */
void fail(int connection, const char *invariant, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* ---- figures of a run */

typedef struct figures {
    uint64_t seeds, passed, failed, connections, handshakes, resumed, bytes, calls, callbacks, actions, questions, answers, clean, milliseconds;
    uint64_t faults[FAULTS];
    uint64_t ends[64]; /* by status */
} figures;
extern figures total;

/* ---- memory: blocks that are not given back yet */

long memory_blocks(void);

#endif
