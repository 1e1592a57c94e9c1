/* What is mapped for good in the shared slots: stacks, devices, the loader's files. */
#include "arch/x86_64/mmu/root.h"
#include "core/layout.h"
#include "core/lock.h"
#include "core/pool.h"

/* A slot filled from its start, never emptied. */
struct area {
	u64 base;
	u64 used; /* map_lock */
};

static struct spinlock map_lock;
static struct area devices = {DEVICE_BASE, 0}, modules = {MODULE_BASE, 0};

/*
 * The next free place of the area for [pa, pa+size), any alignment: an unmapped page stays between two, and the address
 * agrees with pa in as many low bits as large pages need.
 */
static void *map_in(struct area *area, paddr_t pa, u64 size, u32 rights, enum memory_cache cache)
{
	u64 unit = size >= 2 * MIB ? 2 * MIB : PAGE_SIZE;
	paddr_t start = ALIGN_DOWN(pa, PAGE_SIZE);
	u64 bytes, offset;
	int error = ERR_RANGE;

	if (size == 0 || size > SLOT_SIZE / 2 || pa > BIT(52) - size)
		return NULL;
	bytes = ALIGN_UP(pa + size, PAGE_SIZE) - start;
	lock_acquire(&map_lock);
	offset = ALIGN_UP(area->used, unit) + start % unit;
	if (offset <= SLOT_SIZE - 2 * PAGE_SIZE - bytes)
		error = pt_map(&base_root.pt, area->base + offset, start, bytes, rights, cache, NULL);
	if (!error)
		area->used = offset + bytes + PAGE_SIZE;
	lock_release(&map_lock);
	return error ? NULL : (void *)(area->base + offset + pa % PAGE_SIZE);
}

void *map_device(paddr_t pa, u64 size, enum memory_cache cache)
{
	return map_in(&devices, pa, size, PT_READ | PT_WRITE | PT_GLOBAL, cache);
}

const void *map_module(paddr_t pa, u64 size)
{
	return map_in(&modules, pa, size, PT_READ | PT_GLOBAL, CACHE_WB);
}

/*
 * Each stack has a room of its own, and ends one page below the end of it: so there are unmapped pages on both sides.
 */
#define STACK_ROOM (32 * KIB)

static u64 stack_size(u32 which)
{
	return which == STACK_NORMAL ? 16 * KIB : 8 * KIB;
}

void *map_stack(u32 core, u32 which)
{
	u64 top = STACK_BASE + ((u64)core * STACKS + which + 1) * STACK_ROOM - PAGE_SIZE;
	u64 size = stack_size(which);
	struct pt_leaf leaf;
	void *memory;
	int error = OK;

	if (core >= MAX_CORES || which >= STACKS)
		return NULL;
	lock_acquire(&map_lock);
	if (!pt_lookup(&base_root.pt, top - size, &leaf)) {
		memory = pool_alloc((u32)(size / PAGE_SIZE));
		error = memory ? pt_map(&base_root.pt, top - size, pool_pa(memory), size,
					PT_READ | PT_WRITE | PT_GLOBAL, CACHE_WB, NULL)
			       : ERR_MEMORY;
		if (error && memory)
			pool_free(memory, (u32)(size / PAGE_SIZE));
	}
	lock_release(&map_lock);
	return error ? NULL : (void *)top;
}
