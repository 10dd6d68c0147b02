/*
 * One end of a connection: it sends pattern bytes, checks those that come, and ends as the order says, over any face.
 */
#ifndef TALK_H
#define TALK_H

#include "plan.h"

typedef struct talk talk;
struct talk {
    talk *next, **link;           /* all that are alive */
    talk *next_asked, **asked;    /* those of them that wait for an answer without a loop that would tell */
    tlsmem *c;
    way way;
    int fd, watched;              /* without a loop of the library's: the socket, and what it is watched for */
    tlsmem_timer *deadline, *pause;
    unsigned char *kept;          /* received, and not taken by tlsmem_feed */
    size_t kept_length;
    unsigned inside;              /* calls that are using it; the last one frees it when it has gone */
    int gone, connecting, fed_end, changing, changed;

    int is_server, knows;         /* knows: the order, which the client begins with and the server waits for */
    plan plan;
    number to_send, sent, to_receive, received;
    seeded chance;
    int blocked, waits;           /* until on_drain; until the timer */
    int struck, closed, slowed, peer_closed, flipped, turned;
    int established, closes;
};

/** Of this process. */
extern tlsmem_loop *the_loop;
extern counts *own;
extern const tlsmem_callbacks talk_callbacks;

/** Makes one end, without a connection yet. */
talk *talk_new(int is_server, const plan *p);
/** Frees it and its connection, at any moment. */
void talk_free(talk *t);
/** Frees all that are left. */
void talks_free(void);
/** Goes on where it can: writes, and ends when all is done. */
void talk_go_on(talk *t);
/** Calls it after so long. */
void talk_later(talk *t, unsigned ms, void (*what)(tlsmem_timer *timer, void *user));
/** Has those wait no longer who only do so to be there for a while. */
void talks_hurry(void);
/** Ends it the bad way that is planned. */
void strike(talk *t);
/** Around everything that may free it. */
void talk_enter(talk *t);
void talk_leave(talk *t);
/** Looks at how it has ended. */
void judge(talk *t, const tlsmem_report_info *report);
/** Keeps the session that a client has at its end. */
void keep_session(talk *t);
/** What it is called in a complaint; good until the next. */
const char *talk_name(const talk *t);

/** Gives a new connection its socket, which is connected or connecting, in the way that is planned. */
void drive_begin(talk *t, int fd);
/** Has a live connection go on in the other way that is planned, now or in a moment. */
void drive_change(talk *t);
/** Does what is to be done after any call, where no loop of the library's does it. */
void drive_settle(talk *t);
/** Takes the socket away from the connection. */
int drive_take(talk *t);
/** Ends all of this: it is about to be freed. */
void drive_end(talk *t);
/** In the buffers face: sends what is left, the alert for one. */
void drive_last_words(talk *t);

/** Those who wait for an answer; see answers.c. */
void asked_add(talk *t);
void asked_remove(talk *t);
/** Has another thread answer. `ctx` is of the reply, or NULL. */
void answer_later(talk *t, uint64_t token, tlsmem_ctx *ctx);
void answers_begin(void);
void answers_end(void);

#endif
