/*
 * Temporary mappings: how the hypervisor reaches a frame outside its pool. TEMP_SLOT begins with one table of 4 KiB
 * entries, two for each core (one for temp_map(), one for zero_frames()), followed by one 2 MiB entry for each core.
 * Only its own core uses an entry, so INVLPG here is enough; what other cores may have loaded by speculation they never
 * use.
 */
#include "arch/x86_64/mmu/temp.h"

#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/root.h"
#include "core/layout.h"
#include "core/panic.h"
#include "core/percpu.h"

#define LARGE (2 * MIB)

enum slot { SLOT_MAP, SLOT_ZERO, SLOTS };

_Static_assert(MAX_CORES *SLOTS <= 512, "one table holds all small slots");
_Static_assert(MAX_CORES + 1 <= 512, "one table holds all large slots");

/* Set by temp_init(); the last two: what a leaf has beside its address. */
static u64 *small_entry, *large_entry;
static u64 small_leaf, large_leaf;

static u64 leaf_attributes(u32 level)
{
	return pt_format_host.leaf(0, level, PT_READ | PT_WRITE, CACHE_WB);
}

int temp_init(struct pt *pt)
{
	small_entry = pt_entry(pt, TEMP_BASE, 1);
	large_entry = pt_entry(pt, TEMP_BASE + LARGE, 2);
	small_leaf = leaf_attributes(1);
	large_leaf = leaf_attributes(2);
	return small_entry && large_entry ? OK : ERR_MEMORY;
}

static void set(u64 *entry, u64 va, u64 value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	invlpg(va);
}

void *temp_map(paddr_t pa)
{
	u32 index = this_core()->index * SLOTS + SLOT_MAP;
	u64 va = TEMP_BASE + index * PAGE_SIZE;

	set(&small_entry[index], va, ALIGN_DOWN(pa, PAGE_SIZE) | small_leaf);
	return (void *)(va + pa % PAGE_SIZE);
}

/*
 * The entry is emptied again: nothing of a guest stays mapped, and the next use begins with an entry that is not
 * present, of which no core remembers anything (SDM "Caching Translations in the TLBs").
 */
static inline void zero_at(u64 *entry, u64 va, u64 value, u64 size)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	rep_stosq((void *)va, 0, size / sizeof(u64));
	set(entry, va, 0);
}

void zero_frame(paddr_t pa)
{
	u32 index = this_core()->index * SLOTS + SLOT_ZERO;

	zero_at(&small_entry[index], TEMP_BASE + index * PAGE_SIZE, pa | small_leaf, PAGE_SIZE);
}

void zero_frames(paddr_t pa, u64 size)
{
	u32 core = this_core()->index;

	ASSERT((pa | size) % PAGE_SIZE == 0 && size <= BIT(52) && pa <= BIT(52) - size);
	while (size > 0) {
		u64 step = pa % LARGE == 0 && size >= LARGE ? LARGE : PAGE_SIZE;

		if (step == LARGE)
			zero_at(&large_entry[core], TEMP_BASE + LARGE + core * LARGE, pa | large_leaf, LARGE);
		else
			zero_frame(pa);
		pa += step;
		size -= step;
	}
}
