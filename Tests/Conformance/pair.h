/*
 * Two ends and the wire between them, for programs that try many short scenes one after another.
 */
#ifndef PAIR_H
#define PAIR_H

#include "wire.h"

extern end client, server;
extern wire pair_wire;

/** Says which faces and which version the next pairs have; the situation line begins with this. */
typedef struct scene {
    const char *name;
    int version;
    face client_face, server_face;
    const tlsmem_limits *limits; /* of both; NULL for the defaults */
} scene;

/** Makes the two ends and the wire; nothing has been driven yet. */
void pair_open(const scene *s);
/** The same, and runs the handshake. */
void pair_establish(const scene *s);
/** Checks what holds for every scene, and frees everything. */
void pair_close(void);
/** Calls play for every pair of faces, in TLS 1.2 and 1.3. */
void every_pair(const char *name, const tlsmem_limits *limits, void (*play)(const scene *s));

/** Checks that an end has had exactly one on_close, with this status. */
#define CHECK_ENDED(e, expected) check_ended(__FILE__, __LINE__, #e, &(e), expected)
void check_ended(const char *file, int line, const char *name, const end *e, int expected);
/** Checks that what one end wrote arrived whole, and that both reports count it. */
#define CHECK_DELIVERED(from, to) check_delivered(__FILE__, __LINE__, #from, &(from), &(to))
void check_delivered(const char *file, int line, const char *name, const end *from, const end *to);

#endif
