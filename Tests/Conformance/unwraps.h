/*
 * unwraps.h - what the files of unwraps.c share: one end that is tried, in any face, and a peer in the buffers face, whose
 * ciphertext the program carries itself, and puts plain bytes behind.
 */
#ifndef UNWRAPS_H
#define UNWRAPS_H

#include "pair.h"

extern end *subject, *peer;

/** How the subject stands. */
typedef struct setting_up {
    const char *name;
    int version, is_server;
    face face;
    const tlsmem_limits *limits;
    int unbegun; /* without a handshake */
} setting_up;

void unwrap_open(const setting_up *how);
void unwrap_close(void);

/** Takes what the peer has to send, and n plain bytes of the pattern behind it. */
void load(size_t n);
/** Gives that to the subject, in pieces of at most so many bytes, and drives it after each; what it does not take stays. */
void give(size_t most);
/** Drives the subject, and gives the peer what it says. */
void hear(void);
/** Both, until nothing moves any more. */
void carry(void);

/** The subject has ended with this status, and its socket is open and without FIN. */
void expect_unwrapped(void);
/** After that: what is left of the plain bytes is all there, in order, first from tlsmem_unwrapped and then as it came. */
void expect_plain(size_t n);
/** Bytes go in plain, both ways, over the socket that is taken back. */
void expect_fd_of_use(void);

/** Scenes, one for every version, role and face. */
void unwrap_scenes_ends(setting_up *how);

#endif
