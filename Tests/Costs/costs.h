/* What is measured: the stretches in memory (memory.c), over one socket (socket.c), and in a loop (loop.c, bulk.c). */
#ifndef COSTS_H
#define COSTS_H

#include "measure.h"
#include "peer.h"

enum { SMALL = 64, LARGE = 16384 };
/** How many operations a stretch has, and how many like them go before it. */
enum { SMALL_COUNT = 256, LARGE_COUNT = 32, WARM = 32 };

void measure_memory(int version);
void measure_socket(int version);
void measure_loop(int version);
void measure_bulk(int version);

#endif
