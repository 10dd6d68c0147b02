/*
 * facts.h - what a connection knows of itself and of its peer, and what it says and hears, for a person: on stderr.
 */
#ifndef FACTS_H
#define FACTS_H

#include "common.h"

/** Prints all about the peer's certificate, which follows as PEM with what was sent behind it. */
void show_certificates(const tlsmem *c);
/** Prints what is agreed upon, and the certificates. */
void show_peer(const tlsmem *c);
/** Has a line printed for every record and message of a context's connections. Returns a tlsmem_status. */
int trace_messages(tlsmem_ctx *ctx, int on);
/** The same, each an object of JSON; a context has one trace, the last that was asked for. */
int trace_as_json(tlsmem_ctx *ctx, int on);
/** Has their secrets printed, as a key log has them. Returns a tlsmem_status. */
int print_secrets(tlsmem_ctx *ctx, int on);

#endif
