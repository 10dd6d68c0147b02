/* Sizes and places of the structs of the test kit; see layout.h. */
#include "layout.h"

SIZE(tlsmem_wire_faults, 88);
PLACE(tlsmem_wire_faults, size, 0);
PLACE(tlsmem_wire_faults, seed, 8);
PLACE(tlsmem_wire_faults, capacity, 16);
PLACE(tlsmem_wire_faults, chunk_least, 24);
PLACE(tlsmem_wire_faults, chunk_most, 32);
PLACE(tlsmem_wire_faults, delay_least_ms, 40);
PLACE(tlsmem_wire_faults, delay_most_ms, 44);
PLACE(tlsmem_wire_faults, refuse_permille, 48);
PLACE(tlsmem_wire_faults, stall_after, 56);
PLACE(tlsmem_wire_faults, cut_after, 64);
PLACE(tlsmem_wire_faults, reset_after, 72);
PLACE(tlsmem_wire_faults, flip_at, 80);

SIZE(tlsmem_wire_stats_info, 72);
PLACE(tlsmem_wire_stats_info, size, 0);
PLACE(tlsmem_wire_stats_info, bytes_put, 8);
PLACE(tlsmem_wire_stats_info, bytes_taken, 16);
PLACE(tlsmem_wire_stats_info, bytes_lost, 24);
PLACE(tlsmem_wire_stats_info, moves, 32);
PLACE(tlsmem_wire_stats_info, cuts, 40);
PLACE(tlsmem_wire_stats_info, delays, 48);
PLACE(tlsmem_wire_stats_info, refusals, 56);
PLACE(tlsmem_wire_stats_info, full, 64);
