/* fleet_redis.h - sessions of TLS in Redis; see fleet_server.c. */
#ifndef FLEET_REDIS_H
#define FLEET_REDIS_H

#include "common.h"

/** Keeps the sessions of a context in the Redis of this port, for the one loop that serves. Returns a tlsmem_status. */
int share_sessions(tlsmem_ctx *ctx, tlsmem_loop *loop, int port);

#endif
