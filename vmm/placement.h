/* Where a loader may put things in a guest's RAM: what is taken, and the lowest hole that fits. Pure. */
#ifndef VMM_PLACEMENT_H
#define VMM_PLACEMENT_H

#include "vmm/guest_memory.h"

/* A PC has no RAM here that an operating system may use: extended BIOS data, VGA memory, ROMs; our ACPI tables. */
#define LEGACY_START 0x9fc00ull
#define LEGACY_END   0x100000ull

#define PLACEMENT_RANGES 64

struct placement_range {
	gpa_t start, end;
};

struct placement {
	const struct guest_memory *memory;
	u32 count;
	struct placement_range taken[PLACEMENT_RANGES]; /* sorted, not overlapping */
};

/* Nothing is taken but the legacy area and the first page (real-mode vectors). */
void placement_init(struct placement *placement, const struct guest_memory *memory);
/*
 * Take [gpa, gpa+size): ERR_RANGE: not all RAM; ERR_EXISTS: some of it is taken; ERR_MEMORY: too many ranges. Size 0
 * takes nothing.
 */
int placement_take(struct placement *placement, gpa_t gpa, u64 size);
/* Take the lowest `size` bytes (at least 1) aligned to `align` (power of two) within [low, high). 0: there are none. */
gpa_t placement_find(struct placement *placement, u64 size, u64 align, gpa_t low, gpa_t high);
/* The end of the highest range taken so far. */
gpa_t placement_end(const struct placement *placement);

#endif
