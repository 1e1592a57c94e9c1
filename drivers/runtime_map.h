/* What UEFI runtime services need to be mapped, out of firmware's memory map. Pure. */
#ifndef DRIVERS_RUNTIME_MAP_H
#define DRIVERS_RUNTIME_MAP_H

#include "arch/x86_64/cpu/regs.h"
#include "lib/types.h"

#define RUNTIME_MAX_REGIONS 64

struct runtime_region {
	paddr_t start;
	u64 size; /* both page aligned */
	enum memory_cache cache;
};

struct runtime_map {
	u32 count;
	u32 left_out; /* regions for which there was no room, or that cannot be mapped 1:1 */
	struct runtime_region region[RUNTIME_MAX_REGIONS];
};

/*
 * The part of an EFI_MEMORY_DESCRIPTOR that every version has (UEFI specification "EFI_BOOT_SERVICES.GetMemoryMap()").
 */
struct runtime_descriptor {
	u32 type, pad;
	u64 start, virtual_start, pages, attribute;
};

/* Add the descriptor's range when it has the attribute EFI_MEMORY_RUNTIME. */
void runtime_map_add(struct runtime_map *map, const struct runtime_descriptor *descriptor);
/* Whether [pa, pa+size) lies in one region. */
bool runtime_map_contains(const struct runtime_map *map, paddr_t pa, u64 size);

#endif
