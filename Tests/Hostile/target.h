/*
 * What the faces of the target share: its connections, each with what it has cost so far, and how one begins and ends.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <tlsmem.h>

typedef enum face { FACE_REGISTRY, FACE_FD, FACE_BUFFERS } face;

/** One connection, from when it is made until its line has been printed and nothing more is to be sent. */
typedef struct session {
    tlsmem *c;
    int fd;          /**< in the faces that poll; else -1 */
    int ended;       /**< 1: its line is printed */
    int shut;        /**< 1: FIN is sent, what still comes is dropped */
    int64_t linger;  /**< when it is left alone at last, once it has ended */
    char name[32];   /**< of a server's: the port of the client; of a client's: what the command calls it */
    size_t incoming, outgoing, deferred; /**< the most that has waited in it */
    int64_t heap, heap_most;             /**< bytes of the process: when it began, and the most since */
    int64_t cpu;                         /**< microseconds of the process when it began */
    struct session *next;
} session;

extern tlsmem_ctx *target_ctx;
extern session *sessions; /**< all that there are */
extern const tlsmem_callbacks target_callbacks;

/** Makes room for a connection. Ends the program when there is none. */
session *session_new(const char *name, int fd);
/** Its connection ends when it is there still; it leaves the list. */
void session_free(session *s);
/** Looks how much waits now. */
void session_measure(session *s);

/** Sets what the command line says of sockets. */
void target_socket(int fd);
/** Writes what a client says first. */
void target_greets(tlsmem *c);
/** Bytes that the process has from malloc. */
int64_t target_heap(void);
/** Does what stands in a command of stdin; ends the program at its end. */
void target_command(void);
/** Prints "listening on PORT". */
void target_listens(int port);

/** The faces: each serves until stdin ends. With `listens` 0 it only connects. */
void registry_serve(int listens);
void registry_connect(int port, const char *name);
void polled_serve(int listens, face which);
void polled_connect(int port, const char *name);

#endif
