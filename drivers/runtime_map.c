#include "drivers/runtime_map.h"

#define ATTRIBUTE_WB	  BIT(3)
#define ATTRIBUTE_RUNTIME BIT(63)

enum efi_type {
	EFI_RUNTIME_CODE = 5,
	EFI_RUNTIME_DATA = 6,
	EFI_MMIO = 11,
	EFI_MMIO_PORTS = 12,
};

/* Firmware runs at its physical addresses, which are then linear addresses of the lower canonical half. */
#define LIMIT BIT(47)

static enum memory_cache cache_of(const struct runtime_descriptor *d)
{
	if (d->type == EFI_RUNTIME_CODE || d->type == EFI_RUNTIME_DATA)
		return CACHE_WB;
	if (d->type == EFI_MMIO || d->type == EFI_MMIO_PORTS)
		return CACHE_UC;
	return d->attribute & ATTRIBUTE_WB ? CACHE_WB : CACHE_UC;
}

void runtime_map_add(struct runtime_map *map, const struct runtime_descriptor *d)
{
	if (!(d->attribute & ATTRIBUTE_RUNTIME) || d->pages == 0)
		return;
	if (map->count == RUNTIME_MAX_REGIONS || d->start % PAGE_SIZE != 0 || d->start >= LIMIT ||
	    d->pages > (LIMIT - d->start) / PAGE_SIZE) {
		map->left_out++;
		return;
	}
	map->region[map->count++] = (struct runtime_region){
		.start = d->start,
		.size = d->pages * PAGE_SIZE,
		.cache = cache_of(d),
	};
}

bool runtime_map_contains(const struct runtime_map *map, paddr_t pa, u64 size)
{
	for (u32 i = 0; i < map->count; i++) {
		const struct runtime_region *r = &map->region[i];

		if (pa >= r->start && pa - r->start < r->size && size <= r->size - (pa - r->start))
			return true;
	}
	return false;
}
