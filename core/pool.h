/*
 * The hypervisor's own memory: frames from one reserved run, always mapped at POOL_BASE + physical address in every
 * root. Page tables, VMCSs, vCPUs and everything else that outlives a function come from here. Zeroed. Thread-safe.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/layout.h"
#include "lib/types.h"

/* POOL_BASE; a variable so that unit tests of pure code can put memory of their own behind pool_alloc(). */
extern u64 pool_base;

/*
 * The run the pool lives in; its first pages become its own bookkeeping. frame_init() calls it. ERR_INVALID: unaligned,
 * too small or beyond POOL_LIMIT.
 */
int pool_init(paddr_t start, u64 size);
/* `pages` contiguous zeroed pages, page aligned; NULL: the pool is full. */
void *pool_alloc(u32 pages);
void pool_free(void *memory, u32 pages);
/* Small objects, zeroed, 16-byte aligned, size <= 2048 (larger: pool_alloc). NULL: full. */
void *pool_new(size_t size);
void pool_delete(void *object, size_t size);
/* Bytes handed out now, whole pages. */
u64 pool_bytes_used(void);
void pool_range(paddr_t *start, u64 *size);

static inline paddr_t pool_pa(const void *memory)
{
	return (paddr_t)memory - pool_base;
}

static inline void *pool_va(paddr_t pa)
{
	return (void *)(pool_base + pa);
}

#endif
