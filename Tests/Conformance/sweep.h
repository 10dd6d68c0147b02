/*
 * Busy programs, run once to count what they ask the system for, and then again and again with the i-th of those calls
 * failing, in every way that it can fail.
 *
 * A scene is a whole program: it makes what it needs, plays, frees everything, and checks what holds whatever fails:
 * every call and every connection ends with a status that the fault explains, every connection has one on_close, what was
 * delivered is a prefix of what was accepted, and no other connection notices. What holds for every scene, sweep.c checks:
 * no descriptor and no block of memory is lost.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "end.h"
#include "faulty_kernel.h"

typedef struct scene {
    const char *name;
    void (*play)(void);
} scene;

/* In the order in which they are swept; the list ends with a name of NULL. */
extern const scene load_scene, listen_scene, traffic_scene, renegotiation_scene, connect_scene, answers_scene, visits_scene;

/* ---- faults */

/** Whether it went well, or the fault that is armed has happened and may be why. */
int sweep_excuses(int status);
/** Whether what is armed changes nothing, or has not happened: everything has to be as without. */
int sweep_is_clean(void);
/** Whether the fault lasts: then a second try fails as well. */
int sweep_lasts(void);

/** Checks that a call went well or is excused. Returns whether it went well. */
int sweep_took(const char *file, int line, const char *what, int status);
/**
 * Makes a call that may be refused, and then once more, without a fault: a refusal leaves everything as it was. Returns
 * whether it went well.
 */
#define TRY(call)                                                                                                          \
    ({                                                                                                                     \
        int status_ = (call);                                                                                              \
        if (status_ != TLSMEM_OK && sweep_excuses(status_) && !sweep_lasts())                                              \
            status_ = (call);                                                                                              \
        sweep_took(__FILE__, __LINE__, #call, status_);                                                                    \
    })

/** tlsmem_new and tlsmem_ctx_new, and once more when they are refused; NULL when they always are. */
tlsmem *sweep_new(tlsmem_ctx *ctx, const tlsmem_callbacks *cb, void *user);
tlsmem_ctx *sweep_ctx_new(tlsmem_role role);

/* ---- pairs of a client and of what serves it, in loops */

enum { PAIRS = 3 };
typedef struct pair {
    end client, served;
    tlsmem_listener *listener;
    int begun;           /* the client has set out */
} pair;
extern pair pairs[PAIRS];
extern tlsmem_loop *loops[2];

/** Makes the loops, and forgets the pairs. Returns whether it could. */
int sweep_open(void);
/** Listens for the i-th client, which is told the port; path NULL for TCP. Returns whether it could. */
int sweep_listen(int i, tlsmem_ctx *ctx, const char *path);
/** What an end is to do: send so much, receive as much, and close. */
void sweep_task(end *e, uint64_t bytes);
/** Runs loops and programs until every pair has ended, or nothing happens any more. `each_turn` may be NULL. */
void sweep_run(void (*each_turn)(void));
/** Checks the pairs. */
void sweep_judge(void);
/** Frees everything. */
void sweep_close(void);
/** Whether there are other threads, as the resolver's: then something may come without anybody seeing it come. */
int sweep_others_work(void);
/** The clock leaps towards the next deadline, by a second at most, when nothing else is waited for: when the kernel has not
 *  stirred for so long. TCP itself may wait, for its peer to acknowledge. */
extern int sweep_patience_ms;
/** Has it leap. */
void sweep_leap(int64_t ms);

#endif
