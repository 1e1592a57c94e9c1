#include "vmm/e820.h"
#include "vmm/placement.h"

static void add(struct e820_entry *entry, u32 *count, gpa_t start, gpa_t end, u32 type)
{
	struct e820_entry *last = *count ? &entry[*count - 1] : NULL;

	if (start >= end)
		return;
	if (last && last->type == type && last->start + last->size == start)
		last->size += end - start;
	else
		entry[(*count)++] = (struct e820_entry){start, end - start, type};
}

u32 e820_build(const struct guest_memory *memory, struct e820_entry *entry)
{
	u32 count = 0;

	for (u32 i = 0; i < memory->count; i++)
		add(entry, &count, memory->slot[i].gpa, MIN(memory->slot[i].gpa + memory->slot[i].size, LEGACY_START),
		    E820_RAM);
	add(entry, &count, LEGACY_START, LEGACY_END, E820_RESERVED);
	for (u32 i = 0; i < memory->count; i++)
		add(entry, &count, MAX(memory->slot[i].gpa, LEGACY_END), memory->slot[i].gpa + memory->slot[i].size,
		    E820_RAM);
	return count;
}
