/*
 * common.h - what the example programs share: options, messages, plain sockets, bytes that have to wait; and a server's
 * context. How TLS is driven stands in each program itself.
 */
#ifndef COMMON_H
#define COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <tlsmem.h>

/** What every program ends with. */
enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_NETWORK = 2, EXIT_TLS = 3 };

/** One of the settings (settings.h) that the command line has. */
struct given {
    const struct setting *setting;
    const char *text;
    int number;
};
enum { GIVEN_MAX = 128 };

/** The options that every program has; NULL and 0 for those not given. */
struct options {
    const char *cert, *key, *sites, *ca, *host, *alpn, *keylog;
    long port, insecure, inherited;
    tlsmem_limits limits; /* the defaults: a program may change them after parse_options */
    struct given given[GIVEN_MAX];
    size_t given_n;
};

/** An option of one program alone. A table of them ends with { 0 }. */
struct own_option {
    const char *name;     /* without its dashes */
    const char *argument; /* what --help calls its argument; NULL for a switch */
    const char **text;    /* where the argument goes, */
    long *number;         /* or where it goes as a number; a switch sets it to 1 */
    const char *help;
};

/** The options of all echo servers; `s` has these fields. */
#define ECHO_OPTIONS(s)                                                                                     \
    { "greeting", "TEXT", &(s).greeting, NULL, "say this first" },                                          \
    { "max", "N", NULL, &(s).max, "end after N connections have ended" },                                   \
    { "stats", NULL, NULL, &(s).stats, "print a line about each connection that ends" },                    \
    { "verbose", NULL, NULL, &(s).verbose, "say on stderr why a connection failed" }

/** The options of a server with loops in several threads. */
#define LOOPS_OPTIONS(s, o)                                                                                 \
    { "threads", "N", NULL, &(s).threads, "run N loops on the one port (1)" },                              \
    { "inherited", NULL, NULL, &(o).inherited, "listen on the socket that a service manager passes" }

/** Reads the command line into `o`, which holds the defaults, and `own`. Ends the program for --help and mistakes. */
void parse_options(int argc, char **argv, const char *about, struct options *o, const struct own_option *own);

/** Prints one line on stderr, after the program's name. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** The same, and ends the program. */
#define usage_error(...) (say(__VA_ARGS__), exit(EXIT_USAGE))
/** Makes a context of what the command line says. Returns NULL, and says why, when something is refused. */
tlsmem_ctx *new_context(tlsmem_role role, const struct options *o);
/** The same for a server, which needs somebody to be. Ends the program on failure. */
tlsmem_ctx *server_context(const struct options *o);
/** Sets limits, --alpn, --keylog, --sites and all of settings.h. Call it first: the security level, and the password, come
 *  before the certificates. Returns a tlsmem_status. */
int set_tls_options(tlsmem_ctx *ctx, const struct options *o);
/** Sets what --ocsp-response says, for a server that has its certificate. Returns a tlsmem_status. */
int set_responses(tlsmem_ctx *ctx, const struct options *o);
/** Returns 1 when there is something to be known by: --cert and --key, --pkcs12, --psk or --sites. */
int has_identity(const struct options *o);
/** Returns 1 when nothing was said about whom to trust, so that a client trusts what the system trusts. */
int trusts_system(const struct options *o);
/** Has everything that the command line names (certificates, keys, authorities, keys of tickets) read again at SIGHUP, in the
 *  thread of the loop, while all threads serve; call it before there are others. `r` and `o` stay where they are. */
struct reloading {
    tlsmem_ctx *ctx;
    const struct options *options;
};
void reload_at_hangup(struct reloading *r, tlsmem_loop *loop, tlsmem_ctx *ctx, const struct options *o);
/** Says why a context refused a setting (or was not made, when it is NULL), frees it, and ends the program with EXIT_TLS. */
void context_refused(tlsmem_ctx *ctx) __attribute__((noreturn));
/** Says why a connection failed; nothing if it did not. */
void say_failure(const tlsmem *c);
/** Says the state of a connection when it is not the one that was shown last. */
void say_state(const tlsmem *c, long number, int *shown);
/** The exit code that fits a status. */
int exit_code(int status);
/** Prints what a connection was and did, in one line. */
void print_stats(FILE *to, const tlsmem *c, const tlsmem_report_info *report);

/** Prints "listening on HOST:PORT" and flushes: from now on clients may connect. */
void say_listening(const char *host, int port);
/** Opens a non-blocking socket that listens; `o->port` becomes the one that it has. Ends the program on failure. */
int listen_on(struct options *o);
/** Has n loops serve one port, `o->port`, which becomes the one that it is; or, when `o->inherited` is set, the socket
 *  that a service manager has passed, at which the first loop accepts for all. Ends the program on failure. */
typedef int acceptor(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user);
tlsmem_listener *listen_in(tlsmem_loop **loops, long n, tlsmem_ctx *ctx, struct options *o, acceptor *fn, void *of);
/** Says why nobody can listen there. Returns the exit code. */
int cannot_listen(const struct options *o, int status);
/** As tlsmem_loop_watch, but ends the program on failure. */
typedef void watcher(tlsmem_loop *loop, int fd, int events, void *user);
void watch(tlsmem_loop *loop, int fd, int events, watcher *fn, void *user);
/** Returns a descriptor that becomes readable at these signals, 0 behind the last, which do nothing else any more. Ends the
 *  program on failure. */
int signal_descriptor(const int *signals);
/** Returns a descriptor that becomes readable at SIGINT or SIGTERM, which no longer end the program by themselves. */
int stop_descriptor(void);
/** Returns 1 when accept failed because something ran out: trying again at once would fail again. */
int ran_out(int error);

/** Bytes that have to wait. */
struct bytes {
    char *at;
    size_t n, room;
};
/** Adds bytes at the end. */
void keep(struct bytes *b, const void *bytes, size_t n);
/** Drops the first n bytes; the memory too, once nothing is left. */
void drop(struct bytes *b, size_t n);
/** Writes, and drops, what a descriptor takes without blocking. Ends the program when it will never take more. */
void pour(int fd, struct bytes *b);

#endif
