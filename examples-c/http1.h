/* http1.h - what http1.c and http1_parser.c share: a client of HTTP/1.0 or 1.1. */
#ifndef HTTP1_H
#define HTTP1_H

#include "http.h"
#include <http_parser.h>

struct http1 {
    struct client *client;
    http_parser parser;
    struct bytes input;       /* came, and not parsed yet */
    struct exchange x;        /* the request that is at hand, and its answer; the next one waits in `input` */
    int newlines;             /* in the line of a chunk's size, so far */
    char last;                /* the byte that was parsed last */
    enum { NOWHERE, IN_NAME, IN_VALUE } where;
    enum { HEAD, CHUNK_SIZE, BODY } part; /* of the request */
    unsigned begun : 1;       /* its first byte has come */
    unsigned head_over : 1;   /* its fields have come */
    unsigned decided : 1;     /* there is an answer */
    unsigned chunked : 1;     /* the answer's body has no length */
    unsigned keep : 1;        /* the connection stays after it */
    unsigned ended : 1;       /* the client says no more */
};

void http1_parser_begin(struct http1 *h);
/** A new request may come. */
void http1_parser_next(struct http1 *h);
/** Parses some of the input. Returns 0, or the status to refuse the request with: nothing after it can be understood. */
int http1_parse(struct http1 *h);

#endif
