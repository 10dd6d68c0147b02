/*
 * settings.h - a client or a server made of settings that are given as words: settings.c and settings_words.c.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <tlsmem.h>

/** What the words say. */
struct settings {
    tlsmem_ctx *ctx;
    tlsmem_limits limits;
    const char *host, *name; /* where to connect, and whom to expect there: NULL for the host */
    int port;
    int again;               /* not 0: connect a second time, with the session of the first */
    int renegotiate;         /* not 0: once established, before anything is written */
};

/** Does what a word says. Ends the program when there is no such word, or when the setter refuses it. */
void apply(struct settings *s, char *word);
/** Puts the limits, which words may have changed, in force. */
void apply_limits(struct settings *s);

/** Prints one fact. */
void fact(const char *name, const char *value);
void number(const char *name, long value);
/** Prints what a connection was, and an empty line behind it. */
void print_facts(const tlsmem *c, const tlsmem_report_info *report, const char *received);

#endif
