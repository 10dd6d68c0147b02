/*
 * What every conformance program shares: cases and checks, seeded random numbers, pattern bytes, contexts.
 *
 * A case is what has a name of its own, its situation; it passes when all of its checks hold. A failed check prints one
 * line: the place, what was wrong, and the situation (with its seed) it happened in.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlsmem.h>

/* ---- checks */

/** Names the program and arms a watchdog: a test that hangs must end too. */
void begin(const char *program);
/** Prints how many checks were made, and "name: N passed, M failed" for the cases; returns the exit code. */
int finish(void);
/** Begins a case, and says what is being tried. */
void situation(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** From now on, when on is not 0, each check is a case: for tables of calls and arguments. */
void each_check_is_a_case(int on);

int check_at(const char *file, int line, int good, const char *format, ...) __attribute__((format(printf, 4, 5)));
int check_status_at(const char *file, int line, const char *what, long got, long expected);
/** Counts a check; prints when it fails. Returns whether it held. */
#define CHECK(good, ...) check_at(__FILE__, __LINE__, (good) ? 1 : 0, __VA_ARGS__)
/** Checks that a call returned this status (or count). */
#define CHECK_STATUS(call, expected) check_status_at(__FILE__, __LINE__, #call, (long)(call), (long)(expected))

void must_at(const char *file, int line, int good, const char *what);
/** For what has to work before anything can be tested: ends the program when it does not. */
#define MUST(good) must_at(__FILE__, __LINE__, (good) ? 1 : 0, #good)
/** For results that say nothing here, of functions that insist on being looked at. */
#define IGNORE(call) do { if (call) { } } while (0)

/** Counts this process's open descriptors. */
int open_descriptors(void);
/** Reads a number from the environment, or the default. */
long setting(const char *name, long otherwise);

/** Whether TLSMEM_TEST_SHORT is set: where each instruction costs fifty, a part of what is similar will do. */
int short_run(void);

/* ---- random numbers: same seed, same run */

typedef struct seeded { uint64_t state; } seeded;
uint64_t seeded_next(seeded *random);
/** Returns a number from 1 to most, small ones as likely as large ones. */
size_t seeded_size(seeded *random, size_t most);

/* ---- pattern bytes: each depends on its position, so that loss, repetition and reordering all show */

void pattern_fill(void *bytes, uint32_t stream, uint64_t position, size_t n);
/** Returns the index of the first byte that is not the pattern's, or n. */
size_t pattern_differs(const void *bytes, uint32_t stream, uint64_t position, size_t n);

/* ---- contexts, from the throw-away certificates of TLSMEM_TEST_CERTS */

/** Returns the path of a file of the certificate folder; good until eight more were asked for. */
const char *certificate(const char *name);
/** Makes a server's context with certificate and key, or a client's that trusts the authority; version 0: both. */
tlsmem_ctx *context(tlsmem_role role, int version);
/** The same with limits. */
tlsmem_ctx *context_limited(tlsmem_role role, int version, const tlsmem_limits *limits);
/** As tlsmem_loop_new; edge-triggered when TLSMEM_TEST_EDGE is set. */
tlsmem_loop *new_loop(void);
/** Makes a connection; a client's is for "localhost". */
tlsmem *connection(tlsmem_ctx *ctx, const tlsmem_callbacks *cb, void *user);
/** Returns the status of the connection's first failure. */
int failure_of(const tlsmem *c);
/** Returns the connection's state. */
tlsmem_state state_of(const tlsmem *c);
/** Returns the snapshot. */
tlsmem_want_info want_of(const tlsmem *c);
/** Returns the report. */
tlsmem_report_info report_of(const tlsmem *c);

#endif
