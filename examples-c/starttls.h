/*
 * starttls.h - a conversation on one socket: in plain, by TLS, and in plain again.
 *
 * Each call waits for its end or for the end of a time limit, so a conversation has a thread for itself. What can fail
 * returns 0, or -1 with the reason in the conversation, which is then over.
 */
#ifndef STARTTLS_H
#define STARTTLS_H

#include "client.h"

struct talk {
    int fd;
    tlsmem *c;       /* NULL in plain */
    struct bytes in; /* received and not read */
    long wait_ms;    /* for the peer to say or to take something */
    int code;        /* the exit code of the failure, */
    char why[300];   /* and its sentence; "" for a peer that simply closed */
};

/** Connects to the first address that answers. */
int talk_connect(struct talk *t, const char *host, long port);
/** Receives at least one byte more. */
int talk_receive(struct talk *t);
/** Reads a line, without its end. */
int talk_line(struct talk *t, char *line, size_t room);
/** Sends all of it. */
int talk_send(struct talk *t, const void *bytes, size_t n);
/** Fails: notes the exit code and the sentence. Returns -1. */
int talk_fail(struct talk *t, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** The same, with what TLS has to say about a status. */
int talk_tls_failed(struct talk *t, ptrdiff_t status);
/** Ends it, in order where there is TLS, and frees what it has. */
void talk_end(struct talk *t);

/** Has TLS go on with what the socket is ready for. */
int talk_drive(struct talk *t);

/**
 * Goes over to TLS; a client names the server. Refuses bytes that have come already: anybody can have put them behind the
 * last line in plain, and they would be read as if TLS had protected them (CVE-2011-0411, CVE-2021-23222).
 */
int talk_start_tls(struct talk *t, tlsmem_ctx *ctx, const char *name);
/** Goes back to plain, whoever of the two has begun: the peer says nothing more by TLS. What it has sent in plain behind
 *  its close_notify is what is read next. */
int talk_stop_tls(struct talk *t);

#endif
