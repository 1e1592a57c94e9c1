/* Which guest-physical addresses are RAM: the pure part of guest_memory.h. */
#include "vmm/guest_memory.h"

/* The last slot that begins at or below gpa, or NULL. */
static const struct guest_slot *slot_below(const struct guest_memory *memory, gpa_t gpa)
{
	u32 low = 0, high = memory->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (memory->slot[middle].gpa <= gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &memory->slot[low - 1] : NULL;
}

/* Differences instead of sums: gpa + size may wrap, what lies behind a known start does not. */
int guest_memory_check(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write)
{
	const struct guest_slot *end = memory->slot + memory->count;
	const struct guest_slot *slot = slot_below(memory, gpa);
	bool denied = false;

	if (!size)
		return OK;
	if (!slot)
		return ERR_RANGE;
	for (; slot < end; slot++) {
		u64 offset = gpa - slot->gpa, here;

		if (gpa < slot->gpa || offset >= slot->size)
			return ERR_RANGE;
		denied |= write && !slot->writable;
		here = MIN(size, slot->size - offset);
		size -= here;
		gpa += here;
		if (!size)
			return denied ? ERR_DENIED : OK;
	}
	return ERR_RANGE;
}

bool guest_memory_contains(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write)
{
	return guest_memory_check(memory, gpa, size, write) == OK;
}

int guest_memory_insert(struct guest_memory *memory, gpa_t gpa, u64 size, bool writable)
{
	u32 at = 0;

	if (!size || (gpa | size) & (PAGE_SIZE - 1) || gpa >= GUEST_MEMORY_LIMIT || size > GUEST_MEMORY_LIMIT - gpa)
		return ERR_INVALID;
	while (at < memory->count && memory->slot[at].gpa + memory->slot[at].size <= gpa)
		at++;
	if (at < memory->count && memory->slot[at].gpa < gpa + size)
		return ERR_EXISTS;
	if (memory->count == GUEST_MEMORY_SLOTS)
		return ERR_MEMORY;
	for (u32 i = memory->count; i > at; i--)
		memory->slot[i] = memory->slot[i - 1];
	memory->slot[at] = (struct guest_slot){.gpa = gpa, .size = size, .writable = writable};
	memory->count++;
	memory->total += size;
	return OK;
}
