/*
 * The hypervisor's own memory: frames from one reserved run, always mapped at POOL_BASE + physical address in every root.
 * Page tables, VMCSs, vCPUs and everything else that outlives a function come from here. Zeroed. Thread-safe.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/layout.h"
#include "lib/types.h"

/* `pages` contiguous zeroed pages, page aligned; NULL: the pool is full. */
void *pool_alloc(u32 pages);
void pool_free(void *memory, u32 pages);
/* Small objects, zeroed, 16-byte aligned, size <= 2048 (larger: pool_alloc). NULL: full. */
void *pool_new(size_t size);
void pool_delete(void *object, size_t size);
/* Bytes handed out now. */
u64 pool_bytes_used(void);
void pool_range(paddr_t *start, u64 *size);

static inline paddr_t pool_pa(const void *memory)
{
	return (paddr_t)memory - POOL_BASE;
}

static inline void *pool_va(paddr_t pa)
{
	return (void *)(POOL_BASE + pa);
}

#endif
