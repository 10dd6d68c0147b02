/*
 * questions.h - what a context asks the program, and what the example programs answer: passwords, names of clients, verdicts.
 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include "common.h"

/** Each is asked from now on. Returns a tlsmem_status. */

/** The password of an encrypted key: the first line of a file. */
int ask_password_file(tlsmem_ctx *ctx, const char *path);
/** Which context a client gets, by the name that it asks for: one with NAME.pem and NAME.key of `o->sites`, and everything
 *  else of `o`, which stays the caller's. A client that asks for a name without such files is refused; one that asks for no
 *  name gets the context that it has. */
int ask_for_site(tlsmem_ctx *ctx, const struct options *o);
/** What to say to the verdict on a certificate: nothing, but it is shown. */
int show_verdicts(tlsmem_ctx *ctx, int on);
/** The same, and a certificate with this result of verification is taken. */
int accept_verdict(tlsmem_ctx *ctx, int result);

#endif
