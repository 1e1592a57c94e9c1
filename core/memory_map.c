/*
 * Regions are entered type by type, the least restrictive first, so that each new one simply replaces what it covers.
 * Where the table is too small for a map, memory is lost and never gained: what does not fit is forgotten when it was
 * usable, and still cut out of what is usable when it was not.
 */
#include "core/memory_map.h"

#include "lib/string.h"

/*
 * UEFI specification "EFI_BOOT_SERVICES.GetMemoryMap()": EFI_MEMORY_DESCRIPTOR, version 1. Later ones may only be
 * longer.
 */
struct efi_descriptor {
	u32 type;
	u32 padding;
	u64 start;
	u64 virtual_start;
	u64 pages;
	u64 attribute;
};

#define EFI_MEMORY_WB	   BIT(3)
#define EFI_MEMORY_SP	   BIT(18)
#define EFI_MEMORY_RUNTIME BIT(63)

/* By EFI_MEMORY_TYPE; what is beyond the table (OEM and OS loader types, kinds not invented yet) is RESERVED. */
static const u8 type_of_efi[] = {
	MEMORY_RESERVED,     /* EfiReservedMemoryType */
	MEMORY_USABLE,	     /* EfiLoaderCode */
	MEMORY_USABLE,	     /* EfiLoaderData */
	MEMORY_USABLE,	     /* EfiBootServicesCode */
	MEMORY_USABLE,	     /* EfiBootServicesData */
	MEMORY_RUNTIME_CODE, /* EfiRuntimeServicesCode */
	MEMORY_RUNTIME_DATA, /* EfiRuntimeServicesData */
	MEMORY_USABLE,	     /* EfiConventionalMemory */
	MEMORY_RESERVED,     /* EfiUnusableMemory */
	MEMORY_ACPI_RECLAIM, /* EfiACPIReclaimMemory */
	MEMORY_RESERVED,     /* EfiACPIMemoryNVS */
	MEMORY_MMIO,	     /* EfiMemoryMappedIO */
	MEMORY_MMIO,	     /* EfiMemoryMappedIOPortSpace */
	MEMORY_RESERVED,     /* EfiPalCode */
	MEMORY_RESERVED,     /* EfiPersistentMemory */
	MEMORY_RESERVED,     /* EfiUnacceptedMemoryType: to touch it before accepting it is fatal */
};

/* No physical address is wider (SDM "Paging Modes and Control Bits": MAXPHYADDR is at most 52). */
#define ADDRESS_LIMIT BIT(52)

static enum memory_type type_of(const struct efi_descriptor *descriptor)
{
	enum memory_type type = MEMORY_RESERVED;

	if (descriptor->type < ARRAY_SIZE(type_of_efi))
		type = type_of_efi[descriptor->type];
	if (type != MEMORY_USABLE && type != MEMORY_ACPI_RECLAIM)
		return type;
	/* Set aside by firmware for a special use (high-bandwidth memory, a device's), or not cacheable: not for us. */
	if ((descriptor->attribute & EFI_MEMORY_SP) || !(descriptor->attribute & EFI_MEMORY_WB))
		return MEMORY_RESERVED;
	/* Runtime services use it whatever its type says. */
	return descriptor->attribute & EFI_MEMORY_RUNTIME ? MEMORY_RUNTIME_DATA : type;
}

static void remove_at(struct memory_map *map, u32 i)
{
	map->count--;
	memmove(&map->region[i], &map->region[i + 1], (map->count - i) * sizeof(map->region[0]));
}

/* The smallest usable region, which hurts least to lose; count: there is none. */
static u32 smallest_usable(const struct memory_map *map)
{
	u32 best = map->count;

	for (u32 i = 0; i < map->count; i++) {
		const struct memory_region *r = &map->region[i];

		if (r->type != MEMORY_USABLE)
			continue;
		if (best == map->count || r->end - r->start < map->region[best].end - map->region[best].start)
			best = i;
	}
	return best;
}

/* Make room for a region of this type and size. False: it is the one to lose. */
static bool make_room(struct memory_map *map, enum memory_type type, u64 size)
{
	u32 victim;

	if (map->count < MEMORY_MAX_REGIONS)
		return true;
	map->dropped++;
	victim = smallest_usable(map);
	if (victim == map->count)
		return false;
	if (type == MEMORY_USABLE && size <= map->region[victim].end - map->region[victim].start)
		return false;
	remove_at(map, victim);
	return true;
}

/* Put a region that overlaps nothing at its place, joined with equal neighbours that touch it. */
static void insert(struct memory_map *map, paddr_t start, paddr_t end, enum memory_type type)
{
	u32 i = 0;

	while (i < map->count && map->region[i].start < start)
		i++;
	if (i < map->count && map->region[i].start == end && map->region[i].type == type) {
		end = map->region[i].end;
		remove_at(map, i);
	}
	if (i > 0 && map->region[i - 1].end == start && map->region[i - 1].type == type) {
		map->region[i - 1].end = end;
		return;
	}
	if (!make_room(map, type, end - start))
		return;
	for (i = 0; i < map->count && map->region[i].start < start; i++)
		;
	memmove(&map->region[i + 1], &map->region[i], (map->count - i) * sizeof(map->region[0]));
	map->region[i] = (struct memory_region){start, end, type};
	map->count++;
}

/*
 * Take [start, end) out of region i; what is left of it stays. Where that makes two and there is no room, the smaller
 * one is lost.
 */
static void cut(struct memory_map *map, u32 i, paddr_t start, paddr_t end)
{
	struct memory_region old = map->region[i];
	bool head = old.start<start, tail = old.end> end;

	if (head && tail && map->count == MEMORY_MAX_REGIONS) {
		map->dropped++;
		head = start - old.start >= old.end - end;
		tail = !head;
	}
	if (!head && !tail) {
		remove_at(map, i);
		return;
	}
	map->region[i].start = head ? old.start : end;
	map->region[i].end = head ? start : old.end;
	if (head && tail)
		insert(map, end, old.end, old.type);
}

/* Take [start, end) out of every region. */
static void cut_all(struct memory_map *map, paddr_t start, paddr_t end)
{
	/* From above, since cutting changes only what lies at i and after it. */
	for (u32 i = map->count; i-- > 0;) {
		if (map->region[i].start < end && map->region[i].end > start)
			cut(map, i, start, end);
	}
}

/*
 * The whole pages of a descriptor: inside it when they are to be used, all it touches when they are to be left alone.
 */
static bool range_of(const struct efi_descriptor *descriptor, enum memory_type type, paddr_t *start, paddr_t *end)
{
	if (descriptor->start >= ADDRESS_LIMIT || descriptor->pages > (ADDRESS_LIMIT - descriptor->start) >> PAGE_SHIFT)
		return false;
	*start = *end = descriptor->start;
	if (descriptor->pages == 0)
		return true;
	*end = *start + (descriptor->pages << PAGE_SHIFT);
	if (type == MEMORY_USABLE || type == MEMORY_ACPI_RECLAIM) {
		*start = ALIGN_UP(*start, PAGE_SIZE);
		*end = ALIGN_DOWN(*end, PAGE_SIZE);
	} else {
		*start = ALIGN_DOWN(*start, PAGE_SIZE);
		*end = ALIGN_UP(*end, PAGE_SIZE);
	}
	return true;
}

static void read_type(struct memory_map *map, const u8 *efi_map, u64 size, u64 descriptor_size, enum memory_type type)
{
	struct efi_descriptor descriptor;
	paddr_t start, end;

	for (u64 offset = 0; offset < size; offset += descriptor_size) {
		memcpy(&descriptor, efi_map + offset, sizeof(descriptor));
		if (type_of(&descriptor) != type)
			continue;
		if (!range_of(&descriptor, type, &start, &end)) {
			map->dropped++;
			continue;
		}
		if (start >= end)
			continue;
		cut_all(map, start, end);
		insert(map, start, end, type);
	}
}

int memory_map_read(struct memory_map *map, const void *efi_map, u64 size, u64 descriptor_size)
{
	map->count = 0;
	map->dropped = 0;
	if (descriptor_size < sizeof(struct efi_descriptor) || size % descriptor_size != 0)
		return ERR_FORMAT;
	for (u32 type = MEMORY_USABLE; type <= MEMORY_RESERVED; type++)
		read_type(map, efi_map, size, descriptor_size, type);
	/*
	 * The real-mode vector table and BIOS data: firmware's SMM code may still look there, and 0 must never be a
	 * frame.
	 */
	return memory_map_reserve(map, 0, PAGE_SIZE);
}

int memory_map_reserve(struct memory_map *map, paddr_t start, paddr_t end)
{
	if (start >= end || end > ADDRESS_LIMIT)
		return ERR_INVALID;
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	for (u32 i = 0; i < map->count; i++) {
		struct memory_region r = map->region[i];

		if (r.type > MEMORY_ACPI_RECLAIM || r.start >= end || r.end <= start)
			continue;
		cut_all(map, MAX(r.start, start), MIN(r.end, end));
		insert(map, MAX(r.start, start), MIN(r.end, end), MEMORY_RESERVED);
		/* Everything may have moved; what is done is reserved now and will be passed over. */
		i = (u32)-1;
	}
	return OK;
}

u64 memory_map_bytes(const struct memory_map *map, enum memory_type type)
{
	u64 bytes = 0;

	for (u32 i = 0; i < map->count; i++) {
		if (map->region[i].type == type)
			bytes += map->region[i].end - map->region[i].start;
	}
	return bytes;
}
