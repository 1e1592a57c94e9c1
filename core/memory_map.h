/*
 * Firmware's memory map made sane: sorted, merged, overlaps resolved against the more restrictive type. Pure; fuzzed.
 */
#ifndef CORE_MEMORY_MAP_H
#define CORE_MEMORY_MAP_H

#include "lib/types.h"

enum memory_type {
	MEMORY_USABLE = 0,   /* Conventional, Loader*, BootServices* */
	MEMORY_ACPI_RECLAIM, /* usable once the ACPI tables have been read */
	MEMORY_RUNTIME_CODE,
	MEMORY_RUNTIME_DATA,
	MEMORY_MMIO,
	MEMORY_RESERVED, /* all else: ACPI NVS, persistent, special-purpose, unaccepted, unusable, unknown */
};

struct memory_region {
	paddr_t start, end; /* page aligned, start < end */
	enum memory_type type;
};

#define MEMORY_MAX_REGIONS 512

struct memory_map {
	u32 count;
	u32 dropped; /* descriptors left out since there was no room: their memory is not used */
	struct memory_region region[MEMORY_MAX_REGIONS];
};

/*
 * Read an EFI memory map (UEFI specification "EFI_BOOT_SERVICES.GetMemoryMap()"). ERR_FORMAT when descriptor_size is
 * too small or does not divide size; a descriptor that wraps or lies above 52 bits is dropped. First page (real-mode
 * IVT) is never usable.
 */
int memory_map_read(struct memory_map *map, const void *efi_map, u64 size, u64 descriptor_size);
/* Take [start, end) out of what is usable (it becomes RESERVED). */
int memory_map_reserve(struct memory_map *map, paddr_t start, paddr_t end);
/* Bytes of one type. */
u64 memory_map_bytes(const struct memory_map *map, enum memory_type type);

#endif
