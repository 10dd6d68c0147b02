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
    int refusal;           /* an answer that is a no */
    int refused_status[2]; /* what it then ends with at the side that is asked, by TLS 1.2 and 1.3; TLSMEM_OK: it goes on without */
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
    tlsmem_reply reply; /* what a good answer brings along; its context is freed by later_close */
    unsigned char bytes[4096];
} asked;
extern asked last;

/** Opens a pair of which one side decides; nothing has been driven. */
void later_open(const decision *d, int version, face client_face, face server_face, cut_kind how);
/** The same between these contexts, which are freed. */
void later_open_between(const decision *d, tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, cut_kind how);
/** Frees everything. */
void later_close(void);
/** Runs until the question is open and nothing moves any more. */
void later_wait(const decision *d);
/** Gives the good answer. Any thread. Returns what tlsmem_answer does. */
int good_answer(void);
/** The same with a status of one's own, and has whoever drives the connection go on with it; a loop does so by itself. */
void answer(int status);
/** A short run has one of the three faces for each decision, in turn. */
int skips(const decision *d, int face);
/** The end that is asked. */
end *decider(const decision *d);
/** Runs on, and checks that both have ended cleanly, that everything arrived, and what the answer had to bring about. */
void check_whole(const decision *d);
/** Checks that an answer comes too late. */
void check_nobody_waits(void);

/** What a decision needs before there is anything to decide: for a session, a visit that leaves one behind. */
void visit_before(const decision *d, tlsmem_ctx *from, tlsmem_ctx *to);
/** The client offers it. */
void come_back(void);
void forget_visit(void);
/** Checks that the answer has brought about what it was to; or has not, when it was a no and the handshake went on. */
void check_effect(const decision *d, int is_good);
void forget_keys(void);

void later_meanwhile(const decision *d, int version);
void later_postauth(const decision *d);
void later_replies(void);

#endif
