/* Reading physical memory that nobody has mapped: firmware's tables. Not for guests' memory. */
#ifndef DRIVERS_PHYSICAL_H
#define DRIVERS_PHYSICAL_H

#include "lib/types.h"

/*
 * Copy [pa, pa+size) through this core's temporary mapping; in the form struct acpi_reader wants. False: not below
 * 2^52.
 */
bool physical_read(void *context, paddr_t pa, void *to, u64 size);

#endif
