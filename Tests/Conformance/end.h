/*
 * One end of a test connection: a program that writes pattern bytes, checks what comes, and closes, over any face.
 *
 * Its ciphertext is taken and given by the wire (wire.h). In the fd and registry faces the connection has one half
 * of a socketpair, and the wire moves bytes in and out of the other half.
 */
#ifndef END_H
#define END_H

#include "support.h"

typedef enum face {
    FACE_BUFFERS,
    FACE_FD,
    FACE_REGISTRY,
    FACE_OWN_CALLS /* after tlsmem_take_fd: the program's own recv and send, on a socket that was in use */
} face;
extern const char *const face_names[4];

typedef enum event { EVENT_ESTABLISHED, EVENT_DATA, EVENT_DRAIN, EVENT_EOF, EVENT_CLOSE, EVENTS } event;

typedef struct end end;
struct end {
    tlsmem *c;
    face face;
    tlsmem_loop *loop;
    tlsmem_loop *other;         /* with TLSMEM_TEST_MOVES it goes to and fro between the two, in mid-stream */
    unsigned drives;
    int fd, outer;              /* the connection's socket and the wire's half; -1 in the buffers face */

    /* what it is to do */
    uint32_t stream;            /* the pattern it sends; it expects the other of the pair, stream ^ 1 */
    uint64_t to_send, to_receive;
    size_t piece;               /* bytes per tlsmem_write; 0 for 64 KiB */
    int close_when_done;        /* tlsmem_close once all is sent and received */
    int close_on_eof;           /* tlsmem_close when the peer's close_notify came */
    void (*after_write)(end *e);
    void (*hook)(end *e, event what); /* called last in each callback; may free the connection */
    void *test;

    /* what happened */
    uint64_t sent, received;
    uint64_t activity;          /* grows with everything that happens: a turn in which it stands still is idle */
    int blocked;                /* a write was short; nothing is written before on_drain */
    int drain_owed;             /* a write was short, or left the connection congested: on_drain has to come */
    int close_called, freed;
    int established, drains, eofs, closes;
    int wrong;                  /* bytes that are not the pattern's, callbacks out of order or after the free */
    int taken_after_end;        /* pieces of ciphertext taken after on_close */
    int write_status;           /* what tlsmem_write failed with, or 0 */
    tlsmem_report_info report;
    unsigned char kept[65536];  /* FACE_OWN_CALLS: received, not yet taken by tlsmem_feed */
    size_t kept_length;
    int kept_eof;
};

/**
 * Makes the connection of ctx and gives it to its face. send_buffer 0 leaves the socket as it is; loop is used in the
 * registry face only.
 */
void end_open(end *e, tlsmem_ctx *ctx, face face, tlsmem_loop *loop, uint32_t stream, int send_buffer);
/** The same for a connection that is there already, such as an accepted one: callbacks only. */
void end_adopt(end *e, tlsmem *c, uint32_t stream);
/** The callbacks that fill in an `end`; its address is the user pointer. */
extern const tlsmem_callbacks end_callbacks;

/** The program's turn: writes what may be written, closes when done, closes the socket after on_close. */
void end_step(end *e);
/** The event loop's turn: asks what is wanted, polls for just that, and drives. */
void end_drive(end *e);

/** tlsmem_free, once. */
void end_free_connection(end *e);
/** Frees what is left of it, sockets too. */
void end_finish(end *e);
/** Whether its connection has ended, by on_close or by being freed. */
int end_ended(const end *e);

#endif
