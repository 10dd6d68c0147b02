/*
 * What is told of a connection by the callbacks of its context, kept for each side: the key log, and the trace.
 */
#ifndef REPORTS_H
#define REPORTS_H

#include "pair.h"

typedef struct piece {
    tlsmem_trace_info info;
    unsigned char bytes[8192]; /* as far as they fit */
} piece;

typedef struct account {
    const char *name;
    piece pieces[256];
    size_t count, lost, sent_bytes; /* of all pieces, also of those that do not fit; bytes of records that were sent */
    char lines[16][256];
    size_t line_count;
    int told_established, told_closed; /* pieces that had been told by then */
    void (*hook)(tlsmem *c);           /* called last in each callback */
} account;
extern account accounts[2]; /* of the client, of the server */

/** Sets both callbacks. */
void accounts_tell(tlsmem_ctx *ctx, account *a);
/** Makes both contexts, with both callbacks, and empty accounts. */
void accounts_open(int version, tlsmem_ctx *contexts[2]);
/** Opens the pair over these faces; nothing has been driven. */
void accounts_pair(tlsmem_ctx *const contexts[2], tlsmem_loop *const loops[2], face client_face, face server_face);

void inside_reports(int version);
void meanwhile_reports(int version);

#endif
