/*
 * What the library does for its bread, in stretches that others measure: see `run` beside this.
 */
#include "costs.h"

int main(void)
{
    begin("costs");
    int version = setting("COSTS_VERSION", 3) == 2 ? TLSMEM_TLS1_2 : TLSMEM_TLS1_3;
    measure_memory(version);
    measure_socket(version);
    measure_loop(version);
    measure_bulk(version);
    return finish();
}
