/*
 * Two connections of the library with each other, and a program that does with them whatever the input says, between the
 * callbacks and inside of them.
 *
 *   byte 0    the contexts: CALLS_...
 *   byte 1    who moves the ciphertext: two bits for each end (see face), or with CALLS_KIT a pair of the test kit does
 *   then      what is done, one byte for what and more for how: see act
 */
#ifndef CALLS_H
#define CALLS_H

#include "fuzz.h"

#define CALLS_OLD 1    /* TLS 1.2, with renegotiation */
#define CALLS_KEY 2    /* by a key that both have, without certificates */
#define CALLS_SMALL 4  /* small limits */
#define CALLS_ASKED 8  /* the handshake waits for answers */
#define CALLS_MUTUAL 16 /* the client has a certificate, the server may ask for it */
#define CALLS_EARLY 32 /* early data is taken */
#define CALLS_KIT 64

#define CALLS_ACTS 300
#define CALLS_CONNECTIONS 4 /* pairs of connections of one input */

typedef enum { FACE_BUFFERS, FACE_FD, FACE_LOOP, FACE_EDGE } face;

typedef struct {
    tlsmem *c;       /* NULL once it was freed */
    int side;        /* 0: the client */
    face now;
    int fd;          /* its end of the socket pair */
    int established, ends, closes, early, is_at_end;
    uint64_t accepted, got; /* bytes, of streams in which each has its value */
    int push;        /* it has on_data */
    int moves;       /* its bytes are being moved: the face cannot change */
} end;

typedef struct {
    input in;
    unsigned kind;
    tlsmem_ctx *contexts[2];
    tlsmem_loop *loops[2];
    tlsmem_pair *pair;
    end ends[2];
    tlsmem_session *session;
    int depth;       /* callbacks inside of callbacks */
    int acts, connections;
    struct { tlsmem *c; uint64_t token; tlsmem_question question; } asked;
    int timers, posts;
} scene;

/** The one that is played. */
extern scene now;

/* calls_scene.c */
void scene_contexts(void);
void scene_open(unsigned faces);
void scene_close(void);
/** Moves ciphertext, or time: n says how much. */
void scene_pump(unsigned n);

/* calls_ends.c */
void end_callbacks(end *e, int push);
void end_write(end *e, size_t n, int how);
void end_read(end *e, size_t n, int how);
void end_free(end *e);
/** What must hold at any moment. */
void end_hold(const end *e);

/* calls.c */
/** What the program does inside a callback of this end. */
void act_inside(end *e);
int on_question(tlsmem *c, tlsmem_question question, uint64_t token);

#endif
