/*
 * settings.h - the options that stand for one setter of a context each, "--verify-depth 1": see the table in settings.c.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "common.h"

/** A word of the command line, and the setter that it calls. */
struct setting {
    const char *name;     /* without its dashes */
    const char *argument; /* what --help calls it; "a|b": one of these words; NULL for a switch */
    int (*text)(tlsmem_ctx *ctx, const char *text);
    int (*number)(tlsmem_ctx *ctx, int number); /* or with a number, a word's place among the words, 1 for a switch */
    int least, most;                            /* of a number */
    const char *help;
};

/** All of them, in the order in which they are set. Ends with { 0 }. */
extern const struct setting settings[];

/** Notes one that the command line has. Ends the program when the value is none of its values. */
void note_setting(struct options *o, const char *name, const char *text);
/** Returns 1 when the command line has it. */
int is_given(const struct options *o, const char *name);
/** Sets all that the command line has. Returns a tlsmem_status. */
int apply_settings(tlsmem_ctx *ctx, const struct options *o);
/** Reads a number that is not negative. Ends the program when the text is none. */
long number(const char *name, const char *text);

#endif
