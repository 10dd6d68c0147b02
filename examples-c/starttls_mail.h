/*
 * starttls_mail.h - the two sides of starttls.
 */
#ifndef STARTTLS_MAIL_H
#define STARTTLS_MAIL_H

#include "starttls.h"

enum { LINE_ROOM = 2048 };

/** What was asked for on the command line. */
struct mail {
    struct options options;
    tlsmem_ctx *ctx;
    const char *mode, *from, *to;
    long max, wait, verbose, print, stop_tls;
};

/** Each returns the exit code. */
int serve_mail(struct mail *m);
int send_mail(struct mail *m);

#endif
