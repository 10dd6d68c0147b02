/* http2.h - what http2.c and http2_streams.c share: a client of HTTP/2. */
#ifndef HTTP2_H
#define HTTP2_H

#include "http.h"
#include <nghttp2/nghttp2.h>

enum {
    STREAMS_MAX = 100,          /* requests of a client at once */
    STREAM_WINDOW = 262144,     /* bytes of a request's body, */
    CLIENT_WINDOW = 1048576,    /* and of all bodies of a client, that it may send before they are taken */
    BROKEN_MAX = 200            /* so many more streams may be broken off than are answered */
};

struct http2 {
    struct client *client;
    nghttp2_session *session;
    struct stream *streams;     /* that are open */
    long broken;                /* how many more were broken off than answered */
    unsigned idle : 1;          /* no stream was open at the last reminder, or since */
    unsigned leaving : 1;       /* the client was told that the end is near */
};

struct stream {
    struct exchange x;
    struct http2 *session;
    int32_t id;
    struct stream *next, **link;
    long long moved;            /* bytes of both bodies, at the last reminder */
    unsigned submitted : 1;     /* the answer is nghttp2's */
    unsigned deferred : 1;      /* nghttp2 waits for more of its body */
    unsigned too_big : 1;       /* the head */
    unsigned old : 1;           /* it was there at the last reminder */
};

/** What nghttp2 calls for a stream. */
void set_stream_callbacks(nghttp2_session_callbacks *callbacks);
/** Gives up streams that have not moved since the last reminder. */
void give_up_stuck(struct http2 *h);
/** The connection is gone: so are they. */
void end_streams(struct http2 *h);

#endif
