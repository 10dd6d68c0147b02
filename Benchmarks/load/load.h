/*
 * load.h - the load generator, one program for all servers.
 *
 * OpenSSL makes the handshake; afterwards the records are sealed and opened here with EVP alone, so that the client costs
 * little more than its system calls and is the same for every server.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *host, *pids;
    int port, plain, sleep, connections;
    double seconds;
    size_t size;
    uint64_t requests; /* to stop after, instead of the seconds; 0 for none */
};
extern struct options options;

_Noreturn void fail(const char *format, ...);

/* ------------------------------------------------------------------------------------------- records.c, connect.c */

enum { RECORD_PLAIN = 16384, RECORD_EXTRA = 5 + 1 + 16, RECORD_MOST = RECORD_PLAIN + 256 + 5 };

/* One direction of the records of TLS 1.3 (RFC 8446, 5.2). */
struct records {
    EVP_CIPHER_CTX *cipher;
    uint8_t iv[12];
    uint64_t sequence;
};
void records_init(struct records *r, const uint8_t secret[32], int seals);
/* Seals n bytes into records. Returns the length. */
size_t seal(struct records *r, const uint8_t *bytes, size_t n, uint8_t *wire);
/* Opens one whole record in place, whose plaintext begins 5 bytes in. Returns its length, 0 for a ticket, or -1 for an
 * alert. */
long open_record(struct records *r, uint8_t *wire, size_t n);

struct wire {
    int fd;
    struct records out, in;
    uint8_t *received; /* as long as receive_most() says; [at, end) is not opened yet */
    size_t at, end;
};
/* A context for TLS 1.3 with TLS_AES_128_GCM_SHA256, that trusts everybody. */
SSL_CTX *client_context(void);
/* A connected blocking socket, from one source address for every 20,000 connections. */
int connected(void);
/* Connects and shakes hands; the socket does not block from then on. */
void wire_open(struct wire *w, SSL_CTX *ctx);
/* Receives once, and calls `take` with the plaintext of each record. Returns what recv did, or 0 after an alert. */
long wire_receive(struct wire *w, void (*take)(void *user, const uint8_t *bytes, size_t n), void *user);

/* ------------------------------------------------------------------------------------------------------ measure.c */

double now(void);
/* epoll_wait that never sleeps, without --sleep: to wake a client that sleeps is work for the server, and slow on a virtual
 * machine. Ends the program when nothing happens for seconds. */
struct epoll_event;
int spin(int epoll, struct epoll_event *ready, int most);
/* CPU seconds of the servers named by --pid. */
double server_cpu(void);
/* From begin to end: time, CPU time of the server. */
struct window {
    double wall, server;
};
void window_begin(struct window *w);
void window_end(struct window *w);
/* Prints NAME, UNIT, VALUE with tabs between. */
void print(const char *name, const char *unit, double value);
/* Prints what every workload has: operations a second, server CPU for each, and how busy the server was. */
void print_operations(const struct window *w, const char *name, double count);
void print_bytes(const struct window *w, double bytes);

/* ------------------------------------------------------------------------------------------------- the workloads */

void run_echo(int http);
void run_download(void);
void run_upload(void);
void run_handshakes(int resumed);
void run_idle(void);

#endif
