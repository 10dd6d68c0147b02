/*
 * drivers.h - what the files of drivers.c share: an echo server that runs as a process of its own, and clients of raw OpenSSL
 * whose ciphertext the program moves, cuts and keeps back itself.
 */
#ifndef DRIVERS_H
#define DRIVERS_H

#include "support.h"

#include <openssl/ssl.h>
#include <sys/types.h>

enum { LIMIT_MS = 20000 }; /* a wait that is not over by then has failed */

/** An echo server, whose lines of --stats and --verbose go to a file. */
typedef struct server {
    const char *name, *path;
    pid_t pid;
    int port, said; /* the file */
} server;

/** Starts a server on a free port, which ends with this process at the latest; with descriptors not 0, it may have so
 *  many. Returns 0, and says why, when it cannot. */
int server_start(server *s, const char *path, int descriptors);
/** Ends it by SIGTERM. Returns its exit code, or -1 when it has to be killed. */
int server_end(server *s);
/** Returns how much it has said so far. */
off_t server_mark(const server *s);
/** Waits until it has said this, after the mark. Returns 0 when it does not. */
int server_says(const server *s, off_t mark, const char *text);
/** What its main thread has used: nanoseconds of processor time, and how often it was woken. */
typedef struct usage { uint64_t nanoseconds, wakes; } usage;
usage server_usage(const server *s);
/** Returns its resident memory, in bytes. */
size_t server_memory(const server *s);

/** How ciphertext is cut on its way to the server. */
typedef enum cut { WHOLE, AT_RANDOM, BYTEWISE } cut;

typedef struct client {
    int fd;
    SSL *ssl;
    BIO *incoming, *outgoing;
    cut cut;
    seeded random;
    uint32_t stream;         /* the pattern that it sends */
    uint64_t want, sent, got; /* bytes to be sent, sent so far, and back again */
    uint64_t update_every;   /* not 0: a KeyUpdate after so many bytes, every second one asks for one in return */
    int updates;
    int deaf;                /* does not receive */
    int closes, closed;      /* close_notify is to be sent after the last byte; it was */
    int peer_closed, eof, reset, changed; /* what came: close_notify, FIN, RST; or a byte that is not the echo */
    int reason;              /* OpenSSL's, of a failure, or 0 */
} client;

/** Connects, without a handshake. version is TLS1_2_VERSION, TLS1_3_VERSION, or 0 for both. */
client *client_new(const server *s, int version);
/** Frees a client; its socket is closed. */
void client_free(client *c);
/** Has the socket closed by RST. */
void client_reset(client *c);
/** Does what can be done without waiting. Returns whether anything moved. */
int client_turn(client *c);
/** Waits until something can move for one of them, at most so long. Returns 0 when the time is over. */
int clients_wait(client **clients, size_t count, int ms);

/** Whether all bytes are there and back. */
int is_echoed(const client *c);
/** Whether the server has closed: close_notify and FIN. */
int is_closed(const client *c);
/** Whether there is an end of any kind. */
int has_ended(const client *c);
/** Drives clients until this is true of each. Returns 0 when it took too long, or when one fails before. */
int until(int (*is_so)(const client *c), client **clients, size_t count);
int until_one(int (*is_so)(const client *c), client *c);

/** Says what did not hold; the case ends there, and has failed. */
#define NEED(good, ...) do { if (!(good)) { return fails(__LINE__, __VA_ARGS__); } } while (0)
int fails(int line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A case: returns whether the server passes. */
typedef struct drive { const char *name; int (*passes)(server *s); int is_long; } drive;
extern const drive drives_of_bytes[], drives_of_ends[]; /* each ends with a name NULL */

#endif
