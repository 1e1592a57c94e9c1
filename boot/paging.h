/*
 * The page tables the hypervisor is entered on (boot/boot_info.h says what they map). Pure: table pages come from an
 * arena the caller owns, whose addresses are their own physical addresses, as under firmware's identity mapping.
 */
#ifndef BOOT_PAGING_H
#define BOOT_PAGING_H

#include "core/layout.h"
#include "lib/types.h"

#define PAGING_CHUNK	    (2 * MIB)
#define PAGING_CHUNKS	    (POOL_LIMIT / PAGING_CHUNK)
#define PAGING_GIB_CHUNKS   512u

/* Which 2 MiB chunks below POOL_LIMIT hold RAM (or framebuffer) and are therefore mapped 1:1. */
struct paging_plan {
	u64 chunk[PAGING_CHUNKS / 64]; /* a bit each */
};

struct paging {
	u64 *arena;	 /* `pages` zeroed pages, page aligned; the first is the PML4 */
	u32 pages, used;
	bool gib_leaves; /* the CPU has 1 GiB pages */
};

/* Map the chunks that [start, end) touches. What lies above POOL_LIMIT is left out. */
void paging_plan_add(struct paging_plan *plan, u64 start, u64 end);
/*
 * Whether an EFI memory type (UEFI specification "Memory Type Usage") is RAM that may be read and written at any time.
 */
bool paging_is_ram(u32 efi_type);
/* Add all RAM of an EFI memory map. */
void paging_plan_add_map(struct paging_plan *plan, const void *map, u64 size, u64 descriptor_size);

/*
 * How many table pages `plan` and an image of `image_size` bytes need at most, with a range of `extra_size` bytes above
 * POOL_LIMIT.
 */
u32 paging_pages_needed(const struct paging_plan *plan, u64 image_size, u64 extra_size, bool gib_leaves);
void paging_init(struct paging *paging, void *arena, u32 pages, bool gib_leaves);
/* The 1:1 mapping and its alias at POOL_SLOT. ERR_MEMORY: the arena is too small. */
int paging_map_plan(struct paging *paging, const struct paging_plan *plan);
/*
 * Map [va, va+size) to pa by 4 KiB pages (2 MiB where `large`; all three aligned to it). ERR_EXISTS: something else is
 * mapped there.
 */
int paging_map(struct paging *paging, u64 va, u64 pa, u64 size, bool large);

#endif
