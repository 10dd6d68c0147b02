/*
 * settings.h - a client or a server made of settings that are given as words: settings.c, settings_words.c and
 * settings_questions.c.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <tlsmem.h>

enum { EXIT_USAGE = 1, EXIT_REFUSED = 3 };

/** What the words say. */
struct settings {
    tlsmem_ctx *ctx;
    tlsmem_limits limits;
    const char *host, *name; /* where to connect, and whom to expect there: NULL for the host */
    int port;
    int again;               /* not 0: connect a second time, with the session of the first */
    int request;             /* not 0: of a server, which asks for a certificate before it answers */
    int renegotiate;         /* not 0: once established, before anything is written */
    int rekey;               /* not 0: change our key before anything is written, and ask for another of the peer's */
};

/** Does what a word says. Ends the program when there is no such word, or when the setter refuses it. */
void apply(struct settings *s, char *word);
/** Puts the limits, which words may have changed, in force. */
void apply_limits(struct settings *s);

/** Returns the length of a file whose bytes it reads. Ends the program when it cannot be read. */
size_t read_file(const char *path, char *bytes, size_t size);

/** What callbacks were told of a connection, to whose user pointer it belongs: "" and 0 where none was set. */
struct told {
    int hellos, hello_version;
    char hello_name[256], hello_alpn[256];
    char verdict[32]; /* "RESULT at DEPTH" */
    char trace[512];  /* "<ClientHello,>ServerHello,..." */
};

/** Words whose setter takes a function; what they put in force lives as long as the program. */
int hello(tlsmem_ctx *ctx, const char *value);     /* refuse:ALERT, alpn:PROTOCOL or ctx:WORDS */
int verdict(tlsmem_ctx *ctx, const char *value);   /* keep, refuse, accept, or the X509_V_ERR_... that it is to be */
int keylog_cb(tlsmem_ctx *ctx, const char *value); /* the file that the lines are written to */
int trace(tlsmem_ctx *ctx, const char *value);
int staple_cb(tlsmem_ctx *ctx, const char *value); /* the file with the response */
int psk_cb(tlsmem_ctx *ctx, const char *value);    /* IDENTITY:KEY, the key in hexadecimal digits */
int psk(tlsmem_ctx *ctx, const char *value);       /* the same, which takes no function */

/** Prints one fact. */
void fact(const char *name, const char *value);
void number(const char *name, long value);
/** Prints what a connection was, and an empty line behind it. */
void print_facts(const tlsmem *c, const tlsmem_report_info *report, const char *received);
void print_told(const struct told *told);

#endif
