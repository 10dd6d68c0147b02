/*
 * What the programs about wires share.
 */
#ifndef WIRES_H
#define WIRES_H

#include "support.h"

/** Any bytes. */
extern unsigned char bytes[65536];
/** A wire with these faults. */
tlsmem_wire *with(tlsmem_wire_faults faults);
tlsmem_wire_stats_info stats_of(const tlsmem_wire *wire);

void storms(void);

#endif
