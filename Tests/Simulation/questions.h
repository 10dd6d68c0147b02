/* What contexts ask the applications: answered at once, later, twice, wrongly, never. */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include "simulation.h"

int hello_asked(tlsmem *c, const tlsmem_client_hello *hello, void *user);
int verdict_asked(tlsmem *c, tlsmem_verdict *verdict, void *user);
int key_asked(tlsmem *c, const tlsmem_psk_request *request, void *user);
int certificate_asked(tlsmem *c, const tlsmem_cert_request *request, void *user);
extern const tlsmem_session_callbacks store_callbacks;

struct end;
/** Answers what an end was asked last, whether or not that was answered already. */
void answer_question(struct end *e);
/** Forgets what is stored. */
void store_end(void);

#endif
