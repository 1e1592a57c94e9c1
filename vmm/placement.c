/* A sorted list of what is taken. */
#include "vmm/placement.h"
#include "lib/string.h"

static int insert(struct placement *placement, gpa_t start, gpa_t end)
{
	u32 at = 0;

	while (at < placement->count && placement->taken[at].end <= start)
		at++;
	if (at < placement->count && placement->taken[at].start < end)
		return ERR_EXISTS;
	if (placement->count == PLACEMENT_RANGES)
		return ERR_MEMORY;
	memmove(placement->taken + at + 1, placement->taken + at,
		(placement->count - at) * sizeof(placement->taken[0]));
	placement->taken[at] = (struct placement_range){start, end};
	placement->count++;
	return OK;
}

void placement_init(struct placement *placement, const struct guest_memory *memory)
{
	placement->memory = memory;
	placement->count = 2;
	placement->taken[0] = (struct placement_range){0, PAGE_SIZE};
	placement->taken[1] = (struct placement_range){LEGACY_START, LEGACY_END};
}

int placement_take(struct placement *placement, gpa_t gpa, u64 size)
{
	if (!size)
		return OK;
	if (!guest_memory_contains(placement->memory, gpa, size, true))
		return ERR_RANGE;
	return insert(placement, gpa, gpa + size);
}

/* A hole begins where something taken ends, where RAM begins, or at `low`: only these need be tried. */
static bool fits(const struct placement *placement, gpa_t at, u64 size, gpa_t low, gpa_t high)
{
	if (at < low || at >= high || size > high - at || !guest_memory_contains(placement->memory, at, size, true))
		return false;
	for (u32 i = 0; i < placement->count; i++)
		if (placement->taken[i].start < at + size && at < placement->taken[i].end)
			return false;
	return true;
}

gpa_t placement_find(struct placement *placement, u64 size, u64 align, gpa_t low, gpa_t high)
{
	const struct guest_memory *memory = placement->memory;
	u32 starts = memory->count + placement->count + 1;
	gpa_t best = 0;

	size = MAX(size, 1ull);
	for (u32 i = 0; i < starts; i++) {
		gpa_t at = low;

		if (i < memory->count)
			at = memory->slot[i].gpa;
		else if (i < memory->count + placement->count)
			at = placement->taken[i - memory->count].end;
		at = ALIGN_UP(at, align);
		if ((!best || at < best) && fits(placement, at, size, low, high))
			best = at;
	}
	return best && insert(placement, best, best + size) == OK ? best : 0;
}

gpa_t placement_end(const struct placement *placement)
{
	return placement->taken[placement->count - 1].end;
}
