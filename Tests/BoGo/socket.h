/* socket.h - the shim's own socket: how it begins and how it ends. */
#ifndef BOGO_SOCKET_H
#define BOGO_SOCKET_H

#include <stdbool.h>

/* The runner ends a test long before: this is for a runner that has gone. */
enum { PATIENCE_MS = 120000 };

/** Connects to the runner; the socket does not block. -1 when nobody listens. */
int socket_connect(int port);
/** Waits for POLLIN or POLLOUT. Returns what came, 0 when it took too long. */
int socket_wait(int fd, int events, int timeout_ms);
/**
 * Sends FIN, drops what the peer still sends, and closes when it has closed. With bytes unread a reset would go out instead,
 * and destroy the alert on its way to the peer.
 */
void socket_finish(int fd);

#endif
