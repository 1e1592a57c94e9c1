/* Structure pages for tests of the page-table engine: counted, limited on request, poisoned when freed. */
#ifndef TESTS_UNIT_FAKE_PAGES_H
#define TESTS_UNIT_FAKE_PAGES_H

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/mmu/pt.h"

#define RW  (PT_READ | PT_WRITE)
#define RX  (PT_READ | PT_EXEC)
#define RWX (RW | PT_EXEC)

#define TOP_2GIB 0xffffffff80000000ull

/* Structure pages: real memory, physical address = FAKE_PA + offset. */
#define PAGES	4096
#define FAKE_PA 0x40000000ull

static u8 *page_memory;
static bool page_used[PAGES];
static u32 pages_used;
static s64 allocations_left = -1; /* -1: no limit */

static void *fake_alloc(void *context)
{
	(void)context;
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	for (u32 i = 0; i < PAGES; i++) {
		if (page_used[i])
			continue;
		page_used[i] = true;
		pages_used++;
		memset(page_memory + i * PAGE_SIZE, 0, PAGE_SIZE);
		return page_memory + i * PAGE_SIZE;
	}
	return NULL;
}

static void fake_free(void *context, void *page)
{
	u64 i = (u64)((u8 *)page - page_memory) / PAGE_SIZE;

	(void)context;
	assert_true(i < PAGES && page_used[i]);
	page_used[i] = false;
	pages_used--;
	memset(page, 0xff, PAGE_SIZE);
}

static paddr_t fake_pa(void *context, const void *page)
{
	(void)context;
	return FAKE_PA + (u64)((const u8 *)page - page_memory);
}

static void *fake_va(void *context, paddr_t pa)
{
	(void)context;
	assert_in_range(pa, FAKE_PA, FAKE_PA + (PAGES - 1) * PAGE_SIZE);
	return page_memory + (pa - FAKE_PA);
}

static const struct pt_allocator allocator = {fake_alloc, fake_free, fake_pa, fake_va, NULL};
static const struct pt_format *const formats[] UNUSED = {&pt_format_host, &pt_format_ept, &pt_format_npt};

static int setup_all(void **state)
{
	(void)state;
	page_memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	return page_memory ? 0 : -1;
}

static int teardown_all(void **state)
{
	(void)state;
	free(page_memory);
	return 0;
}

static int no_page_left(void **state)
{
	(void)state;
	allocations_left = -1;
	return pages_used == 0 ? 0 : -1;
}

static void expect(struct pt *pt, u64 va, paddr_t pa, u64 size, u32 rights, enum memory_cache cache)
{
	struct pt_leaf leaf;

	assert_true(pt_lookup(pt, va, &leaf));
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.rights, rights);
	assert_int_equal(leaf.cache, cache);
}

static void expect_hole(struct pt *pt, u64 va, u64 size)
{
	struct pt_leaf leaf;

	assert_false(pt_lookup(pt, va, &leaf));
	assert_int_equal(leaf.size, size);
}

#endif
