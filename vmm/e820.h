/*
 * A guest's memory map as a PC's firmware reports it (ACPI specification "INT 15H, E820H - Query System Address Map").
 * Pure.
 */
#ifndef VMM_E820_H
#define VMM_E820_H

#include "vmm/guest_memory.h"

#define E820_RAM      1u
#define E820_RESERVED 2u
#define E820_MAX      (GUEST_MEMORY_SLOTS + 2)

struct e820_entry {
	u64 start, size;
	u32 type;
};

/* Sorted, not overlapping; returns how many of `entry[E820_MAX]` are set. The legacy area below 1 MiB is reserved. */
u32 e820_build(const struct guest_memory *memory, struct e820_entry *entry);

#endif
