/*
 * facts.h - what a connection knows of itself and of its peer, and what it says and hears, for a person: on stderr.
 */
#ifndef FACTS_H
#define FACTS_H

#include "common.h"

/** Prints what is agreed upon, and all about the peer's certificate, which follows as PEM with what was sent behind it. */
void show_peer(const tlsmem *c);
/** Has a line printed for every record and message of a context's connections. Returns a tlsmem_status. */
int trace_messages(tlsmem_ctx *ctx);

#endif
