/*
 * What the programs about answers that come later share: who decides what, and the question that is open.
 */
#ifndef LATER_H
#define LATER_H

#include "pair.h"

/** A decision: whose contexts ask for it, and what it is called. */
typedef struct decision {
    const char *name;
    tlsmem_question question;
    int of_server;
    tlsmem_ctx *(*client_ctx)(int version);
    tlsmem_ctx *(*server_ctx)(int version);
    int refusal;        /* an answer that ends the handshake */
    int refused_status; /* what it then ends with at the side that is asked */
} decision;
extern const decision decisions[];
extern const int decisions_count;

/** The last question that was put. */
typedef struct asked {
    tlsmem *c;
    uint64_t token;
    int times;
    int returned; /* what the callback returns: TLSMEM_LATER */
    void (*inside)(void);
} asked;
extern asked last;

/** Opens a pair of which one side decides; nothing has been driven. */
void later_open(const decision *d, int version, face client_face, face server_face, cut_kind how);
/** Frees everything. */
void later_close(void);
/** Runs until the question is open and nothing moves any more. */
void later_wait(const decision *d);
/** Answers, and has whoever drives the connection go on with it; a loop does so by itself. */
void answer(int status);
/** The end that is asked. */
end *decider(const decision *d);
/** Runs on, and checks that both have ended cleanly, and that everything arrived. */
void check_whole(void);
/** Checks that an answer comes too late. */
void check_nobody_waits(void);

void later_meanwhile(const decision *d, int version);
void later_replies(void);

#endif
