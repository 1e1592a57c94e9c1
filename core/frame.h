/*
 * Physical frames and their owners. Every usable frame belongs to nobody, to the hypervisor or to one VM.
 * Pure. One lock guards all of it.
 *
 * A frame that is freed keeps its contents. The rule is: whoever allocates frames zeroes them (zero_frames()) before
 * anybody but the hypervisor can see them, so what one VM leaves never reaches another.
 */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include "core/memory_map.h"
#include "lib/types.h"

typedef u16 frame_owner_t;
#define FRAME_FREE	 0
#define FRAME_HYPERVISOR 1
#define FRAME_VM(id)	 ((frame_owner_t)(16 + (id)))

#define FRAME_UNMANAGED 0xffff /* frame_owner() of what is no RAM of ours */

/*
 * Take over the usable regions. Carves the hypervisor's pool, and in it the owner table, out of the largest of them
 * (below POOL_LIMIT): RAM/64, at least 16 MiB, at most 1 GiB, and not over half of that region. What the loader handed
 * over (image, files, tables) must already be cut out of the list with memory_map_reserve(), or the pool may fall on
 * it. ACPI-reclaim regions are managed too but belong to the hypervisor: frame_free() them once the tables have been
 * read. ERR_MEMORY: no region is large enough to start with.
 */
int frame_init(const struct memory_map *map);
/* Mark [pa, pa+size) as the owner's. ERR_RANGE: not managed; ERR_EXISTS: some of it is not free. */
int frame_reserve(paddr_t pa, u64 size, frame_owner_t owner);
/*
 * A run of `size` bytes (multiple of 4 KiB) aligned to `align` (power of two >= 4 KiB), all free, now `owner`'s. 0:
 * none. The frames are NOT zeroed here: the caller does it before anyone else sees them.
 */
paddr_t frame_alloc(u64 size, u64 align, frame_owner_t owner);
/*
 * `size` bytes (multiple of 4 KiB) as few runs: first those that are multiples of 1 GiB and aligned to it, then 2 MiB,
 * then 4 KiB, each as long as can be; so laid one after the other from a 1 GiB boundary they can be mapped by large
 * pages. Returns how many runs; 0: not enough memory, or more than `max` runs would be needed (nothing is kept).
 */
struct frame_run {
	paddr_t pa;
	u64 size;
};
u32 frame_alloc_runs(struct frame_run *runs, u32 max, u64 size, frame_owner_t owner);
/*
 * The next free run, wherever it is, of at most `most` bytes (multiple of 4 KiB, > 0), now `owner`'s; *got says how
 * long it is. Quick: it goes on where the last one ended. 0, and *got 0: nothing is free. NOT zeroed here either.
 */
paddr_t frame_take(u64 most, u64 *got, frame_owner_t owner);
/* Give back; panics unless all of it is `owner`'s. */
void frame_free(paddr_t pa, u64 size, frame_owner_t owner);
frame_owner_t frame_owner(paddr_t pa);
/* Bytes free, and bytes managed. */
u64 frame_bytes_free(void);
u64 frame_bytes_total(void);

#endif
