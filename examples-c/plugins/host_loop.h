/* host_loop.h - what plugin_host waits for. */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include "plugin.h"

/** See struct plugin_host. */
int loop_add(struct plugin_watch *watch);
void loop_remove(struct plugin_watch *watch);
/** Waits once, and calls whoever waited for it. Returns 1; 0 once the descriptor `stop` is readable; -1, with errno, when it
 *  cannot wait. */
int loop_turn(int stop);

#endif
