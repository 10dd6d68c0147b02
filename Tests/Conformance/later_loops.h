/*
 * A thousand handshakes with late answers: who answers (later_answers.c), and whom (later_loops.c).
 */
#ifndef LATER_LOOPS_H
#define LATER_LOOPS_H

#include "support.h"

/** How the two sides know each other, and so what is asked: by certificates, almost everything; by a common key; or by tickets
 *  that were sealed with a key which the server does not have. */
typedef enum acquaintance { BY_CERTIFICATE, BY_KEY, BY_TICKET } acquaintance;
/** Makes two contexts that ask about everything that is asked then. */
void asking_contexts(int version, acquaintance by, tlsmem_ctx **client_ctx, tlsmem_ctx **server_ctx);
/** Has a server the key for tickets that is asked for. */
void give_ticket_key(tlsmem_ctx *server_ctx);
/** Frees what they have been answered with. */
void forget_answers(void);

/** How often each question was put (by tlsmem_question), and how many sessions were found. Atomic. */
extern int asked[9], found;
/** How many answers were taken, how many not, and how many second ones were refused. Atomic. */
extern int answered, lost, refused_twice;

/** Begins to answer, in four threads. */
void begin_answers(void);
/** Answers what is left, and ends the threads. */
void end_answers(void);

#endif
