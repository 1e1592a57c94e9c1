/* Structure pages from the hypervisor's pool, which every root maps. */
#include "arch/x86_64/mmu/pt.h"
#include "core/pool.h"

static void *alloc_page(void *context UNUSED)
{
	return pool_alloc(1);
}

static void free_page(void *context UNUSED, void *page)
{
	pool_free(page, 1);
}

static paddr_t page_pa(void *context UNUSED, const void *page)
{
	return pool_pa(page);
}

static void *page_va(void *context UNUSED, paddr_t pa)
{
	return pool_va(pa);
}

const struct pt_allocator pt_pool_allocator = {alloc_page, free_page, page_pa, page_va, NULL};
