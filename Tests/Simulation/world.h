/* The world of a seed: services, loops, listeners, and the two ends of each connection. */
#ifndef WORLD_H
#define WORLD_H

#include "contexts.h"
#include "kernel.h"
#include "simulation.h"

enum { CONNECTIONS_MOST = 512, SERVICES_MOST = 2, LOOPS_MOST = 3 };

/** Who moves the ciphertext of an end. */
typedef enum face { FACE_NONE, FACE_BUFFERS, FACE_FD, FACE_LOOP } face;

typedef struct end {
    tlsmem *c;              /* NULL before it is made, and once it is freed */
    int number;             /* connection * 2 + side; side 0 has connected */
    service *of;
    face face;
    int fd;                 /* whoever has it; -1 */
    int library_owns_fd;
    int is_connecting;      /* by the program's own connect */
    int is_made, is_established, has_eof, is_closed, is_freed;
    int has_pulled;         /* what waits for tlsmem_read does not hold up on_eof */
    int pulls;              /* there is no on_data: tlsmem_read is called */
    int is_paused, corks;
    int64_t full_at;        /* bytes that the kernel had given when incoming_max was reached; -1 */
    uint64_t full_with;
    int has_closed, has_closed_writing, has_aborted, has_unwrapped, lacks_eof_callback;
    int owes_drain;
    int drives;             /* of its driving calls are under way, so that callbacks come */
    int may_write_early;
    uint64_t accepted, delivered, early;
    int renegotiates;
    uint64_t session_before; /* it has offered one */
    struct truth truth;     /* kept when the descriptor goes */
    tlsmem_report_info report;
    int failure;            /* of the report */
    int owes_alert;         /* it has made one, and a socket was there to take it */
    int64_t begun, closed_at, established_at, timed_at; /* moments; -1 */
    uint32_t timeouts[6];   /* by tlsmem_timeout; what holds now */
    int question;           /* a tlsmem_question, or 0 */
    uint64_t token, old_token; /* of the question before */
    int is_answered, waits_for_certificate;
    int found;              /* where the session is that was asked for */
    int has_refused;        /* it has answered with no */
    unsigned char *held;    /* ciphertext that was received and not taken yet, in the buffers face */
    size_t held_count;
    int fed_end;
    int leaves;             /* it is over, and the program sends what is left, then closes the descriptor */
    int64_t leaves_until;
    uint64_t idle_rounds, progress; /* driven so often without any of this */
    uint64_t callbacks;
} end;

typedef struct world {
    int connections, services_count, loops_count;
    service services[SERVICES_MOST];
    tlsmem_loop *loops[LOOPS_MOST];
    int loop_is_edge[LOOPS_MOST];
    uint64_t loop_idle[LOOPS_MOST], loop_progress[LOOPS_MOST];
    tlsmem_listener *listeners[SERVICES_MOST]; /* of a loop, or NULL: then the program accepts by itself */
    int listening[SERVICES_MOST];              /* its descriptor then, or -1 */
    int connections_max[SERVICES_MOST];
    end ends[CONNECTIONS_MOST][2];
    int opened;             /* connections that were begun */
    long actions;           /* that applications may still do */
    int64_t next_action;
    int is_ending;          /* no more faults; everybody closes */
    int depth;              /* of callbacks */
    int posts;              /* that were not called yet */
    uint64_t events;        /* callbacks and actions: progress of the programs */
} world;
extern world w;

static inline end *peer_of(const end *e) { return &w.ends[e->number / 2][1 - e->number % 2]; }
static inline int is_alive(const end *e) { return e->c != NULL && !e->is_closed; }

/** Runs a seed; leaves by fail() when something does not hold. */
void world_run(void);
/** Frees everything that is left. */
void world_clear(void);

/** What the peer was promised: a client that ends for want of a protocol says goodbye without having sent anything. */
static inline uint64_t promised(const end *e)
{
    return e->is_closed && e->failure == TLSMEM_EALPN && !e->is_established ? 0 : e->accepted;
}

/* ---- ends (ends.c) */

extern const tlsmem_callbacks *end_callbacks(const end *e);
/** Fills in what is the same for whoever begins. */
void end_begin(end *e, int number, service *of);
/** Looks where its descriptor is. */
void note_fd(end *e);
void certificate_shown(tlsmem *c, void *user);
void traced(tlsmem *c, const tlsmem_trace_info *info, void *user);
/** Frees it; closes the descriptor if the program has it. */
void end_free(end *e);
/** Reads what waits, up to so many bytes. */
void end_read(end *e, size_t most);
void pattern_fill(const end *e, unsigned char *bytes, size_t n);

/* ---- faces (faces.c) */

/** Opens a connection: the client's end connects, in whichever face. */
void open_connection(int connection);
/** The program's own listening socket is readable. */
void accept_by_hand(int service);
int on_accepted(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user);
/** Drives an end in whichever face if its descriptor or its deadline is ready. Returns whether it was. */
int end_drive(end *e);
/** The next moment at which it is to be driven; -1 for never. */
int64_t end_next(end *e);
int loop_drive(int loop);
/** Changes the face. */
void change_face(end *e);

/* ---- applications (application.c) */

void act(void);
void act_on(end *e);
/** Keeps the session of a client for the next one. */
void take_session(end *e);
/** What the application does to come to an end. */
void act_last(end *e);

/* ---- invariants (invariants.c) */

/** What holds at any moment. */
void check_end(end *e);
/** What holds while everybody waits. */
void check_quiet(void);
/** What was reported is true. */
void check_report(end *e);
/** A status that this call may return. `failures`: also the one that the connection has ended with. */
void check_status(end *e, const char *call, ptrdiff_t status, unsigned allowed);
#define STATUS(s) (1u << -(s))
enum { FAILURE = 1 << 0 }; /* TLSMEM_OK's bit is not needed: a count is never wrong */

#endif
