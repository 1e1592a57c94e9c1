/*
 * How the levels of a table divide an address; for the engine's own files. Level 1 is the table of 4 KiB entries. Pure.
 */
#ifndef ARCH_MMU_PT_LEVEL_H
#define ARCH_MMU_PT_LEVEL_H

#include "arch/x86_64/mmu/pt.h"

#define PT_ENTRIES	 512u
#define PT_ADDRESS_BITS	 48u
#define PT_ADDRESS_LIMIT BIT(PT_ADDRESS_BITS)

/* Within the engine an address is its low 48 bits, so that the end of the highest range does not wrap. */
static inline u64 pt_low_bits(u64 va)
{
	return va & (PT_ADDRESS_LIMIT - 1);
}

/* Bytes that one entry of a level spans. */
static inline u64 pt_level_size(u32 level)
{
	return 1ull << (PAGE_SHIFT + 9 * (level - 1));
}

static inline u32 pt_index(u64 address, u32 level)
{
	return (u32)(address / pt_level_size(level)) % PT_ENTRIES;
}

/* Where the entry after the one for `address` begins, or `end` when that comes first. */
static inline u64 pt_next(u64 address, u64 end, u32 level)
{
	u64 next = ALIGN_DOWN(address, pt_level_size(level)) + pt_level_size(level);

	return MIN(next, end);
}

static inline u64 pt_load(const u64 *entry)
{
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

/* The address a leaf of this level points to: low bits of large leaves hold attributes. */
static inline paddr_t pt_leaf_pa(const struct pt *pt, u64 entry, u32 level)
{
	return ALIGN_DOWN(entry & pt->format->address_mask, pt_level_size(level));
}

static inline u64 *pt_child(const struct pt *pt, u64 entry)
{
	return pt->allocator->va(pt->allocator->context, entry & pt->format->address_mask);
}

#endif
