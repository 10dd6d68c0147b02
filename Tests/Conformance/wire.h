/*
 * The wire between two ends: it holds ciphertext for a while, and cuts it where it likes.
 */
#ifndef WIRE_H
#define WIRE_H

#include "end.h"

/*
 * Ciphertext is taken from an end and given to the other in pieces: as large as possible, of one byte, or of seeded
 * random sizes (half of them small). One byte at a time holds for the first 64 KiB of each direction only, unless
 * WIRE_BYTEWISE_MOST says otherwise; seeded pieces follow: at two system calls a byte the whole of 5 MiB takes a minute,
 * and the places where a cut can hurt (handshake, record headers, tags) have all been passed by then.
 */
typedef enum cut_kind { CUT_WHOLE, CUT_BYTES, CUT_SEEDED } cut_kind;
typedef struct cut {
    cut_kind kind;
    uint64_t seed;
} cut;
extern const char *const cut_names[3];

typedef struct direction {
    end *from, *to;
    seeded random;
    size_t first, length;     /* what is on the wire, in bytes[] */
    uint64_t given;
    int ended, eof_given;
    size_t giving;            /* of these, how many are being given at the moment */
    int cut_off;              /* nothing is moved any more: the test holds this direction */
    int (*meddle)(struct direction *d); /* called before bytes are given; may change them; not 0 stops this turn */
    void *test;
    unsigned char bytes[131072];
} direction;

typedef struct wire {
    end *client, *server;
    cut how;
    uint64_t bytewise_most;
    direction up, down;       /* client to server, server to client */
} wire;

void wire_open(wire *w, end *client, end *server, cut how);
/** One turn of everything: both programs, both loops, both directions. Returns 1 when anything happened. */
int wire_turn(wire *w);
/**
 * Turns until done(w) holds. Returns 1; or 0 when it stalled: sixteen turns in which nothing at all happened, which
 * without threads, clocks and a network is for ever.
 */
int wire_run(wire *w, int (*done)(const wire *w));

/** From inside a callback of d->to, buffers face: feeds what comes after the piece that is being fed. Returns as
 *  tlsmem_feed does. */
ptrdiff_t wire_feed_inside(direction *d);

/** For wire_run: both connections have ended; both are established; nothing moves any more (never fails). */
int both_ended(const wire *w);
int both_established(const wire *w);
/** Turns until nothing moves any more. */
void wire_settle(wire *w);
/** Runs both handshakes; ends the program if that fails. */
void wire_establish(wire *w);

/** Takes at most n bytes of ciphertext that leave this end. Returns how many; 0 for none now; -1 for no more ever. */
ptrdiff_t end_take(end *e, void *bytes, size_t n);
/** Gives ciphertext to this end, and drives it. Returns how many it took. */
size_t end_give(end *e, const void *bytes, size_t n);
/** Says that nothing more comes. */
void end_give_eof(end *e);

#endif
