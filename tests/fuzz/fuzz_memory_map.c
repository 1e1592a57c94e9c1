// sources: core/memory_map.c
/*
 * Hostile firmware: the first byte chooses the descriptor size, the next 16 a range to reserve, the rest is the EFI
 * memory map. Whatever it says, the result is sorted, and no byte is usable that a descriptor calls something else.
 */
#include <string.h>
#include "core/memory_map.h"
#include "tests/fuzz/fuzz.h"

#define HEADER 17

struct descriptor {
	u32 type, padding;
	u64 start, virtual_start, pages, attribute;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_sound(const struct memory_map *map)
{
	require(map->count <= MEMORY_MAX_REGIONS);
	for (u32 i = 0; i < map->count; i++) {
		const struct memory_region *r = &map->region[i];

		require(r->start < r->end && r->end <= BIT(52) && (r->start | r->end) % PAGE_SIZE == 0);
		require(i == 0 || r[-1].end <= r->start);
		require(r->type != MEMORY_USABLE || r->start >= PAGE_SIZE);
	}
}

static void check_nothing_usable(const struct memory_map *map, u64 start, u64 end)
{
	for (u32 i = 0; i < map->count; i++) {
		const struct memory_region *r = &map->region[i];

		require(r->type > MEMORY_ACPI_RECLAIM || r->end <= start || r->start >= end);
	}
}

/* EfiConventionalMemory and the loader's and boot services' types, without the attributes that forbid it. */
static bool may_be_usable(const struct descriptor *d)
{
	bool type = (d->type >= 1 && d->type <= 4) || d->type == 7 || d->type == 9;

	return type && (d->attribute & BIT(3)) && !(d->attribute & (BIT(18) | BIT(63)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u32 sizes[] = {40, 48, 56, 41, 39, 0};
	static struct memory_map map;
	u64 start, end, descriptor_size, usable = 0, claimed = 0;

	if (size < HEADER)
		return 0;
	descriptor_size = sizes[data[0] % ARRAY_SIZE(sizes)];
	memcpy(&start, data + 1, 8);
	memcpy(&end, data + 9, 8);
	data += HEADER;
	size -= HEADER;
	if (descriptor_size >= 40 && data[-HEADER] < 128)
		size -= size % descriptor_size;
	if (memory_map_read(&map, data, size, descriptor_size) != OK) {
		require(descriptor_size < 40 || size % descriptor_size != 0);
		return 0;
	}
	check_sound(&map);
	for (size_t at = 0; at < size; at += descriptor_size) {
		struct descriptor d;

		memcpy(&d, data + at, sizeof(d));
		if (d.start >= BIT(52) || d.pages > (BIT(52) - d.start) / PAGE_SIZE || d.pages == 0)
			continue;
		if (may_be_usable(&d))
			claimed += d.pages * PAGE_SIZE;
		else
			check_nothing_usable(&map, d.start, d.start + d.pages * PAGE_SIZE);
	}
	usable = memory_map_bytes(&map, MEMORY_USABLE) + memory_map_bytes(&map, MEMORY_ACPI_RECLAIM);
	require(usable <= claimed || claimed >= BIT(52));
	if (memory_map_reserve(&map, start, end) == OK) {
		check_sound(&map);
		check_nothing_usable(&map, start, end);
	} else {
		require(start >= end || end > BIT(52));
	}
	return 0;
}
