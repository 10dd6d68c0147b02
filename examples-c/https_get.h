/*
 * https_get.h - what the files of https_get share: the URL, what was asked for, the answer, how far it has come.
 */
#ifndef HTTPS_GET_H
#define HTTPS_GET_H

#include "client.h"
#include "facts.h"
#include <http_parser.h>

/** Where to, and what for. */
struct url {
    char host[256];      /* a name or an address, without brackets */
    char authority[272]; /* as the Host field has it */
    char target[8192];   /* path and query, as the request line has them */
    int port;
};

/** Takes the URL off the command line, where it may stand anywhere. Returns NULL when there is none. */
const char *take_url(int *argc, char **argv);
/** Ends the program for a URL that cannot be fetched. */
void parse_url(const char *text, struct url *url);

/** What was asked for on the command line. */
struct wishes {
    const char *output;
    long head, include, fail, show_cert, resume, early, stats, timeout, max_time;
};

/** Writes the request, which waits in the connection until the handshake is done. Returns a tlsmem_status. */
int ask(tlsmem *c, const struct wishes *w, const struct url *url);

/** An answer, as far as it has come. */
struct answer {
    const struct wishes *wishes;
    http_parser parser;
    int fd;            /* standard output or --output; -1 before there is something to write */
    struct bytes out;  /* what it did not take yet */
    struct bytes head; /* the reason, then the fields, each line with its CRLF; with a final 0 once it is whole */
    enum { REASON, FIELD, VALUE } last;
    int has_head, is_complete;
    uint64_t length, got; /* of the body; UINT64_MAX while nobody knows */
    char why[320];        /* why it cannot be taken, or "" */
};

/** Begins an answer. */
void begin_answer(struct answer *a, const struct wishes *wishes);
/** Takes what came; what is to be written of it goes to `out`. Returns 0; -1, with the reason in `why`, when the rest is
 *  of no use. */
int take_answer(struct answer *a, const void *bytes, size_t n);
/** The server has closed properly: that is the end of a body without a length. */
void end_answer(struct answer *a);
/** Closes the output. Returns the exit code, and says what is wrong with the answer, or where it points. */
int finish_answer(struct answer *a);

/** Tells whether the server has resumed the session that it was offered, and taken early data. Returns the exit
 *  code, which is EXIT_TLS if not. */
int tell_resumption(const tlsmem *c, int code);

/** Tells on a terminal how far the body has come, once it takes longer than a second. */
void begin_progress(tlsmem_loop *loop, struct answer *a);
void end_progress(void);

#endif
