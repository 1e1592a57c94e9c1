#include "boot/paging.h"

/*
 * Page-table entry bits (SDM vol. 3 "4-Level Paging and 5-Level Paging"). Everything is writable and executable here.
 */
#define ENTRY_PRESENT  BIT(0)
#define ENTRY_WRITABLE BIT(1)
#define ENTRY_ACCESSED BIT(5)
#define ENTRY_DIRTY    BIT(6)
#define ENTRY_LARGE    BIT(7)
#define ENTRY_ADDRESS  BITS(51, 12)

#define TABLE_FLAGS (ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_ACCESSED)
#define LEAF_FLAGS  (TABLE_FLAGS | ENTRY_DIRTY)

#define IDENTITY_SLOT 0

/*
 * The head of an EFI_MEMORY_DESCRIPTOR (UEFI specification "EFI_BOOT_SERVICES.GetMemoryMap()"); firmware's stride is
 * its own.
 */
struct map_descriptor {
	u32 type, pad;
	u64 start, virtual_start, pages;
};

bool paging_is_ram(u32 efi_type)
{
	/*
	 * By number: 0 Reserved, 8 Unusable, 11 and 12 memory-mapped I/O, 13 PAL code, 14 Persistent, 15 Unaccepted;
	 * above that OEM and OS types, of which nothing is known.
	 */
	return (efi_type >= 1 && efi_type <= 7) || efi_type == 9 || efi_type == 10;
}

void paging_plan_add(struct paging_plan *plan, u64 start, u64 end)
{
	end = MIN(end, POOL_LIMIT);
	if (start >= end)
		return;
	for (u64 chunk = start / PAGING_CHUNK; chunk <= (end - 1) / PAGING_CHUNK; chunk++)
		plan->chunk[chunk / 64] |= BIT(chunk % 64);
}

void paging_plan_add_map(struct paging_plan *plan, const void *map, u64 size, u64 descriptor_size)
{
	if (descriptor_size < sizeof(struct map_descriptor))
		return;
	for (u64 at = 0; size - at >= descriptor_size; at += descriptor_size) {
		const struct map_descriptor *d = (const void *)((const u8 *)map + at);

		if (paging_is_ram(d->type) && d->start < POOL_LIMIT && d->pages <= POOL_LIMIT >> PAGE_SHIFT)
			paging_plan_add(plan, d->start, d->start + (d->pages << PAGE_SHIFT));
	}
}

static bool chunk_wanted(const struct paging_plan *plan, u64 chunk)
{
	return plan->chunk[chunk / 64] & BIT(chunk % 64);
}

static u32 chunks_in_gib(const struct paging_plan *plan, u64 gib)
{
	u32 count = 0;

	for (u64 word = gib * PAGING_GIB_CHUNKS / 64; word < (gib + 1) * PAGING_GIB_CHUNKS / 64; word++) {
		for (u64 left = plan->chunk[word]; left != 0; left &= left - 1) /* drops the lowest set bit */
			count++;
	}
	return count;
}

u32 paging_pages_needed(const struct paging_plan *plan, u64 image_size, u64 extra_size, bool gib_leaves)
{
	/*
	 * PML4; PDPT of the plan; PDPT, page directories and page tables of the image and of the extra range, which may
	 * straddle.
	 */
	u64 needed = 2 + (1 + 2 + image_size / PAGING_CHUNK + 2) + (2 + extra_size / GIB + 2);

	for (u64 gib = 0; gib < POOL_LIMIT / GIB; gib++) {
		u32 chunks = chunks_in_gib(plan, gib);

		if (chunks != 0 && !(gib_leaves && chunks == PAGING_GIB_CHUNKS))
			needed++;
	}
	return (u32)needed;
}

void paging_init(struct paging *paging, void *arena, u32 pages, bool gib_leaves)
{
	*paging = (struct paging){.arena = arena, .pages = pages, .used = 1, .gib_leaves = gib_leaves};
}

/*
 * The table that entry `index` of `table` points to, made when there is none. NULL: the arena is used up, or a leaf is
 * in the way.
 */
static u64 *next_table(struct paging *paging, u64 *table, u64 index)
{
	u64 entry = table[index];

	if (entry & ENTRY_LARGE)
		return NULL;
	if (entry & ENTRY_PRESENT)
		return (u64 *)(entry & ENTRY_ADDRESS);
	if (paging->used == paging->pages)
		return NULL;
	entry = (u64)(paging->arena + paging->used++ * (PAGE_SIZE / sizeof(u64)));
	table[index] = entry | TABLE_FLAGS;
	return (u64 *)entry;
}

int paging_map_plan(struct paging *paging, const struct paging_plan *plan)
{
	u64 *gibs = next_table(paging, paging->arena, IDENTITY_SLOT);

	if (!gibs)
		return ERR_MEMORY;
	paging->arena[POOL_SLOT] = paging->arena[IDENTITY_SLOT];
	for (u64 gib = 0; gib < POOL_LIMIT / GIB; gib++) {
		u32 chunks = chunks_in_gib(plan, gib);
		u64 *leaves;

		if (chunks == 0)
			continue;
		if (paging->gib_leaves && chunks == PAGING_GIB_CHUNKS) {
			gibs[gib] = gib * GIB | LEAF_FLAGS | ENTRY_LARGE;
			continue;
		}
		leaves = next_table(paging, gibs, gib);
		if (!leaves)
			return ERR_MEMORY;
		for (u64 i = 0; i < PAGING_GIB_CHUNKS; i++) {
			u64 chunk = gib * PAGING_GIB_CHUNKS + i;

			if (chunk_wanted(plan, chunk))
				leaves[i] = chunk * PAGING_CHUNK | LEAF_FLAGS | ENTRY_LARGE;
		}
	}
	return OK;
}

static u64 table_index(u64 va, u32 level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

static int map_one(struct paging *paging, u64 va, u64 pa, u32 leaf_level)
{
	u64 entry = pa | LEAF_FLAGS | (leaf_level > 1 ? ENTRY_LARGE : 0);
	u64 *table = paging->arena;
	u64 *slot;

	for (u32 level = 4; level > leaf_level; level--) {
		table = next_table(paging, table, table_index(va, level));
		if (!table)
			return ERR_MEMORY;
	}
	slot = &table[table_index(va, leaf_level)];
	if (*slot != 0 && *slot != entry)
		return ERR_EXISTS;
	*slot = entry;
	return OK;
}

int paging_map(struct paging *paging, u64 va, u64 pa, u64 size, bool large)
{
	u64 step = large ? PAGING_CHUNK : PAGE_SIZE;

	for (u64 at = 0; at < size; at += step) {
		int error = map_one(paging, va + at, pa + at, large ? 2 : 1);

		if (error)
			return error;
	}
	return OK;
}
