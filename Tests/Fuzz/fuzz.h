/*
 * What the fuzzers have in common: an input that is used up byte by byte, what has to hold whatever it is, and a world in
 * which it does the same each time: random numbers from a seed, a clock that stands still, identities of the program's own.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsmem.h>

/** What must hold, or the input is a finding. */
#define MUST(condition)                                                                          \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);       \
            abort();                                                                             \
        }                                                                                        \
    } while (0)
/** For calls that may be refused. */
#define IGNORE(call)        \
    do {                    \
        if (call) {         \
        }                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/** What is left of an input. At its end it is all zeros. */
typedef struct {
    const uint8_t *at;
    size_t left;
} input;

unsigned take(input *in);
/** Two bytes, the high one first. */
unsigned take_two(input *in);
/** A number below `limit`, which is above 0. */
unsigned below(input *in, unsigned limit);
/** At most n bytes, of which there are *got. */
const uint8_t *take_bytes(input *in, size_t n, size_t *got);

/**
 * The same beginning for each run: random numbers from the seed, a monotonic clock that moves by what is waited for, and one
 * fixed time of day. world_end lets the clock run again, by which the fuzzer measures itself.
 */
void world_begin(uint64_t seed);
void world_end(void);
/** Called by it: the instrumented fuzzers (lines.c) note where they have been, before libFuzzer forgets. */
void keep_edges(void) __attribute__((weak));
/** The fixed time of day. */
#define WORLD_DAY 1767225600

/** Certificates and keys that are made anew in each process: from the same numbers, so that they are the same. */
typedef struct {
    char cert[4096], key[4096]; /* PEM */
} identity;
/** 0: EC, for fuzz.example, and its own authority; 1: Ed25519, for *.other.example. */
const identity *identity_of(int which);

/** A context with this identity (-1: none) that trusts identity 0. */
tlsmem_ctx *context(tlsmem_role role, int which);
void limits_of(tlsmem_ctx *ctx, size_t outgoing_max, size_t incoming_max);

#define SAY(c, text) IGNORE(tlsmem_write(c, text, sizeof text - 1))

/** Asks a connection for everything that can be asked, and holds the answers against each other. */
void ask_everything(tlsmem *c);

#endif
