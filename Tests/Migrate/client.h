/*
 * client.h - the client that each program of this folder is: it connects, says "hello", prints what comes until the end of
 * a line, and closes. Two programs of a name differ in who does TLS: NAME_before.c another library, NAME_after.c libtlsmem.
 */
#ifndef CLIENT_H
#define CLIENT_H

/** Does all of it, by TLS of one sort. Verifies the host by the authorities in the file. Returns an exit code. */
int ask(const char *host, const char *port, const char *authorities);
/** Returns a connected non-blocking socket, which is the caller's. Ends the program when there is none. */
int dial(const char *host, const char *port);
/** Prints what came. Returns 1 when it is the end of a line. */
int heard(const char *bytes, long n);

#endif
