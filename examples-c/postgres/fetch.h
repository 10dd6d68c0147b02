/*
 * fetch.h - what the files of the extension share: a batch of URLs that are fetched at once, and each of them.
 *
 * PostgreSQL reports errors by longjmp. None ever leaves through a frame of libtlsmem: the connections have no callbacks,
 * so that the library never calls PostgreSQL, and what goes wrong with a fetch is written down (struct fault) and raised,
 * if at all, when everything is freed.
 */
#ifndef FETCH_H
#define FETCH_H

#ifndef PGDLLEXPORT /* backends bind names globally: only what they look up is to be seen of this one */
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif
#include <postgres.h>

#include <http_parser.h>
#include <lib/stringinfo.h>
#include <netdb.h>
#include <storage/latch.h>
#include <tlsmem.h>

/** Where to, and what for. */
struct url {
    char host[256];      /* a name or an address, without brackets */
    char authority[272]; /* as the Host field has it */
    char port[6];
    char *target;        /* path and query, as the request line has them */
};

/** What is wrong with a fetch; nothing, while sqlstate is 0. The first one counts. */
struct fault {
    int sqlstate;
    char sentence[512];
    char detail[128];
    const char *hint;
};

/** An answer, as far as it has come. */
struct answer {
    http_parser parser;
    struct fault *fault;
    StringInfoData fields; /* "name\0value\0", names in small letters */
    StringInfoData body;
    size_t max;      /* bytes of it */
    enum part { NOWHERE, IN_NAME, IN_VALUE } last;
    bool has_head, is_complete;
};

struct batch;

struct fetch {
    struct batch *batch;
    const char *text; /* the URL as it was given; NULL for the null value */
    struct url url;
    struct addrinfo *addresses, *next; /* of the host: all, and the one to be tried next */
    int fd, place, tries;              /* the socket or -1, where it is in the wait set, and the how many-th it is */
    tlsmem *c;                         /* once fd is connected */
    int64_t deadline;                  /* of the whole fetch, in milliseconds of tlsmem_now */
    struct answer answer;
    struct fault fault;
};

enum { TRIES = 4 }; /* addresses of a host that are tried: a wait set has a fixed number of places, and none comes free */

struct batch {
    tlsmem_ctx *ctx;
    WaitEventSet *set;
    struct fetch *fetches;
    struct fetch **live; /* those that are under way */
    int count, begun, live_count, live_max;
    int64_t timeout; /* of each fetch, in milliseconds */
    uint32_t handshake_timeout; /* of that, for TLS to begin */
    size_t max_body; /* of each answer */
};

/** Makes ready, with the authorities that servers are verified by: those in the file ca, or the system's for "". May raise. */
void batch_begin(struct batch *b, const char *ca, int at_once);
/** Fetches all, and returns when each has an answer or a fault. Raises what interrupts the query, too. */
void batch_run(struct batch *b);
/** Frees all but the answers; at any moment, raises nothing. */
void batch_end(struct batch *b);

/** Takes f->text apart. Returns false, with a fault, for what is no URL that can be fetched. */
bool url_parse(struct fetch *f);
/** Writes the request for it, which waits in the connection until the handshake is done. Returns a tlsmem_status. */
int url_ask(const struct url *url, tlsmem *c);

/** Looks the host's addresses up, which blocks for a name. Returns false with a fault. */
bool connect_look_up(struct fetch *f);
/** Begins to connect to the next address, and puts the socket into the wait set. Returns false with a fault when there is none
 *  left: the last one has failed with this errno. */
bool connect_next(struct fetch *f, int why);
/** The socket is writable. Returns 0 when it is connected; else the errno of the attempt. */
int connect_result(const struct fetch *f);
/** Frees the connection and closes the socket, whichever there are. */
void connect_end(struct fetch *f);

void answer_begin(struct answer *a, struct fault *fault, size_t max);
/** Takes what came. Returns false, with a fault, when the rest is of no use. May raise: memory. */
bool answer_take(struct answer *a, const void *bytes, size_t n);
/** The server has closed properly: that is the end of a body without a length. Returns false, with a fault, if it is cut. */
bool answer_end(struct answer *a);

/** Writes a fault down, unless there is one. Returns false. */
bool fault_set(struct fault *fault, int sqlstate, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same of a connection that has failed. */
bool fault_of_connection(struct fault *fault, const tlsmem *c, int status);
/** Raises the fault of a fetch. */
void fault_raise(const struct fetch *f) pg_attribute_noreturn();

#endif
