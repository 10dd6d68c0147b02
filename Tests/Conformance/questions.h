/*
 * What the programs about questions share: a pair of which the server asks about ClientHellos, or either side about
 * verdicts, and what the program says to that.
 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include "pair.h"

/** What the next questions are answered with, and what was asked. */
typedef struct answers {
    int hello, verdict;        /* what the callbacks return */
    int accept;                /* insecure_accept */
    tlsmem_ctx *other;         /* tlsmem_set_ctx with it; NULL: not */
    const char *protocol;      /* tlsmem_select_alpn with it; NULL: not */
    void (*inside)(tlsmem *c); /* called in both callbacks, before they answer; may free the connection */
    int hellos, verdicts;      /* how often each was asked */
    int set_ctx, select_alpn;  /* what those calls returned */
    long result;               /* of the last verdict */
    int depth;
    long certificate;          /* what tlsmem_peer_certificate said inside it */
    char name[256];            /* of the last ClientHello: its server name, "-" for none */
    unsigned char alpn[256];
    size_t alpn_bytes, suites_bytes;
    int version;
} answers;
extern answers said;

int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user);
int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user);

/** A server's context with that certificate, or none for NULL, that asks about ClientHellos or not; both versions for 0. */
tlsmem_ctx *asking_server(const char *certificate_name, int version, int asks);
/** A client's that trusts "ca.pem", or "other-ca.pem", and asks about verdicts or not. */
tlsmem_ctx *asking_client(const char *authority, int version, int asks);

/** Opens a pair of these contexts, which it frees; nothing has been driven. */
void ask_open(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face, cut_kind how);
/** Runs it to where both have ended, or nothing moves any more. */
void ask_run(void);
/** Frees everything. */
void ask_close(void);

/** Checks that both have ended cleanly, and that everything arrived. */
void check_whole(void);
/** A client's context with a list of protocols. */
tlsmem_ctx *plain_client(int version);

/** Carries what one has to send to the other, buffers face. Returns 0 when there was nothing. */
int carry(tlsmem *from, tlsmem *to);

void questions_held(int version);
void questions_inside(void);
void questions_of_verdicts(int version);

#endif
