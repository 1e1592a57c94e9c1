// sources: arch/x86_64/mmu/pt.c arch/x86_64/mmu/pt_walk.c arch/x86_64/mmu/pt_format.c
/* The page-table engine, in all three formats: cases with known entries. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_pages.h"

static u64 entry_at(struct pt *pt, u64 va, u32 level)
{
	const u64 *table = pt->root;

	for (u32 at = pt->format->levels; at > level; at--) {
		u64 entry = table[(va >> (12 + 9 * (at - 1))) & 511];

		assert_true(pt->format->present(entry) && !pt->format->is_leaf(entry, at));
		table = fake_va(NULL, entry & pt->format->address_mask);
	}
	return table[(va >> (12 + 9 * (level - 1))) & 511];
}

static void test_init(void **state)
{
	struct pt pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 0), ERR_INVALID);
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 4), ERR_INVALID);
	allocations_left = 0;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 3), ERR_MEMORY);
}

/* The bits themselves, from the manuals' tables. */
static void test_entries(void **state)
{
	struct {
		const struct pt_format *format;
		u32 level, rights;
		enum memory_cache cache;
		u64 entry;
	} cases[] = {
		{&pt_format_host, 1, PT_READ, CACHE_WB, 0x8000000000000021},
		{&pt_format_host, 1, RW, CACHE_WB, 0x8000000000000063},
		{&pt_format_host, 1, RX, CACHE_WB, 0x21},
		{&pt_format_host, 1, RX | PT_GLOBAL, CACHE_WB, 0x121},
		{&pt_format_host, 1, RW | PT_USER, CACHE_WB, 0x8000000000000067},
		{&pt_format_host, 1, RX, CACHE_WC, 0x29},
		{&pt_format_host, 1, RX, CACHE_UC_MINUS, 0x31},
		{&pt_format_host, 1, RX, CACHE_UC, 0x39},
		{&pt_format_host, 1, RX, CACHE_WP, 0xa9},
		{&pt_format_host, 1, RX, CACHE_WT, 0xb9},
		{&pt_format_host, 2, RX, CACHE_WB, 0xa1},
		{&pt_format_host, 2, RX, CACHE_WT, 0x10b9},
		{&pt_format_host, 3, RX, CACHE_WP, 0x10a9},
		{&pt_format_npt, 1, PT_READ, CACHE_WB, 0x8000000000000025},
		{&pt_format_npt, 1, RWX | PT_GLOBAL, CACHE_WB, 0x67},
		{&pt_format_npt, 2, RWX, CACHE_UC, 0xff},
		{&pt_format_ept, 1, PT_READ, CACHE_UC, 0x1},
		{&pt_format_ept, 1, RW, CACHE_WB, 0x33},
		{&pt_format_ept, 1, RWX, CACHE_WB, 0x37},
		{&pt_format_ept, 1, RX, CACHE_WC, 0xd},
		{&pt_format_ept, 1, RWX | PT_USER | PT_GLOBAL, CACHE_WT, 0x27},
		{&pt_format_ept, 2, RWX, CACHE_WP, 0xaf},
		{&pt_format_ept, 2, RWX, CACHE_WB, 0xb7},
		{&pt_format_ept, 3, RWX, CACHE_WB, 0xb7},
		{&pt_format_ept, 3, RWX, CACHE_UC_MINUS, 0x87},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 entry = cases[i].format->leaf(0, cases[i].level, cases[i].rights, cases[i].cache);
		enum memory_cache cache = cases[i].format->cache(entry, cases[i].level);
		u32 rights = cases[i].format->rights(entry);

		assert_int_equal(entry, cases[i].entry);
		assert_true(cases[i].format->present(entry) && cases[i].format->is_leaf(entry, cases[i].level));
		assert_int_equal(cases[i].format->leaf(0, cases[i].level, rights, cache), entry);
		if (cases[i].cache != CACHE_UC_MINUS)
			assert_int_equal(cache, cases[i].cache);
	}
	assert_int_equal(pt_format_host.table(0x5000), 0x5027);
	assert_int_equal(pt_format_npt.table(0x5000), 0x5027);
	assert_int_equal(pt_format_ept.table(0x5000), 0x5007);
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++)
		assert_false(formats[i]->present(0x7ffffffffffff000) || formats[i]->present(0));
}

/* EPT: bits 20:12 of a 2 MiB entry and 29:12 of a 1 GiB one are reserved, whatever the memory type. */
static void test_ept_reserved_bits(void **state)
{
	static const enum memory_cache caches[] = {CACHE_UC, CACHE_WC, CACHE_WT, CACHE_WP, CACHE_WB, CACHE_UC_MINUS};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(caches); i++) {
		assert_int_equal(pt_format_ept.leaf(0x40000000, 2, RWX, caches[i]) & BITS(20, 12), 0);
		assert_int_equal(pt_format_ept.leaf(0x40000000, 3, RWX, caches[i]) & BITS(29, 12), 0);
		assert_int_equal(pt_format_ept.leaf(0, 3, RWX, caches[i]) & BIT(6), 0);
	}
}

static void test_sizes(void **state)
{
	(void)state;
	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		const u32 rights = formats[f] == &pt_format_npt ? RWX | (u32)PT_USER : RWX;
		struct pt_change change;
		struct pt pt;

		assert_int_equal(pt_init(&pt, formats[f], &allocator, 3), OK);
		/* 4 KiB below a 1 GiB boundary, then 1 GiB, 2 MiB and 4 KiB. */
		assert_int_equal(pt_map(&pt, GIB - 4096, 3 * GIB - 4096, GIB + 2 * MIB + 8192, RWX, CACHE_WB, &change),
				 OK);
		assert_true(change.any_added && !change.any_removed && !change.tables_freed && !change.any_relaxed);
		expect_hole(&pt, GIB - 8192, 4096);
		/* a new table is empty but for what was mapped, to the last bit */
		assert_int_equal(entry_at(&pt, 0, 2) | entry_at(&pt, GIB - 2 * MIB, 1) | entry_at(&pt, GIB - 8192, 1),
				 0);
		expect(&pt, GIB - 4096, 3 * GIB - 4096, 4096, rights, CACHE_WB);
		expect(&pt, GIB + 0x12345, 3 * GIB + 0x12345, GIB, rights, CACHE_WB);
		expect(&pt, 2 * GIB, 4 * GIB, 2 * MIB, rights, CACHE_WB);
		expect(&pt, 2 * GIB + 2 * MIB, 4 * GIB + 2 * MIB, 4096, rights, CACHE_WB);
		expect_hole(&pt, 2 * GIB + 2 * MIB + 4096, 4096);
		expect_hole(&pt, 2 * GIB + 4 * MIB, 2 * MIB);
		expect_hole(&pt, 4 * GIB, GIB);
		expect_hole(&pt, 512 * GIB, 512 * GIB);
		/* root, PDPT, PD+PT below, PD+PT above */
		assert_int_equal(pages_used, 6);
		pt_destroy(&pt, 0, 0);
		assert_int_equal(pages_used, 0);
	}
}

static void test_largest(void **state)
{
	(void)state;
	for (u32 largest = 1; largest <= 3; largest++) {
		struct pt pt;

		assert_int_equal(pt_init(&pt, &pt_format_ept, &allocator, largest), OK);
		assert_int_equal(pt_map(&pt, 0, 0, GIB, RWX, CACHE_WB, NULL), OK);
		expect(&pt, GIB - 1, GIB - 1, largest == 3 ? GIB : largest == 2 ? 2 * MIB : 4096, RWX, CACHE_WB);
		assert_int_equal(pages_used, largest == 3 ? 2 : largest == 2 ? 3 : 3 + 512);
		pt_destroy(&pt, 0, 0);
	}
}

/* Address and physical address not aligned alike: small pages only. */
static void test_unaligned(void **state)
{
	struct pt pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 3), OK);
	assert_int_equal(pt_map(&pt, 4 * MIB, 2 * MIB + 4096, 4 * MIB, RW, CACHE_WB, NULL), OK);
	expect(&pt, 4 * MIB, 2 * MIB + 4096, 4096, RW, CACHE_WB);
	expect(&pt, 8 * MIB - 1, 6 * MIB + 4095, 4096, RW, CACHE_WB);
	/* alike to 2 MiB but not to 1 GiB */
	assert_int_equal(pt_map(&pt, GIB, 2 * MIB, GIB, RW, CACHE_UC, NULL), OK);
	expect(&pt, 2 * GIB - 4096, GIB + 2 * MIB - 4096, 2 * MIB, RW, CACHE_UC);
	pt_destroy(&pt, 0, 0);
}

static void test_arguments(void **state)
{
	struct pt pt, ept;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 3), OK);
	assert_int_equal(pt_init(&ept, &pt_format_ept, &allocator, 3), OK);
	assert_int_equal(pt_map(&pt, 0, 0, 0, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, 1, 0, 4096, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, 0, 1, 4096, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, 0, 0, 4097, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, 0, 0, 4096, PT_WRITE, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, 0, BIT(52), 4096, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, 0, BIT(52) - 4096, 8192, RW, CACHE_WB, NULL), ERR_INVALID);
	/* the canonical hole, across it, across the end */
	assert_int_equal(pt_map(&pt, BIT(47), 0, 4096, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, BIT(47) - 4096, 0, 8192, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, -BIT(47) - 4096, 0, 8192, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&pt, -4096ull, 0, 8192, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_unmap(&pt, 1, 4096, NULL), ERR_INVALID);
	assert_int_equal(pt_protect(&pt, 0, 4096, PT_EXEC, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&ept, BIT(48), 0, 4096, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pt_map(&ept, BIT(48) - 4096, 0, 8192, RW, CACHE_WB, NULL), ERR_INVALID);
	assert_int_equal(pages_used, 2);
	/* the last page of each, and what is just allowed */
	assert_int_equal(pt_map(&pt, -4096ull, BIT(52) - 4096, 4096, RW, CACHE_WB, NULL), OK);
	expect(&pt, ~0ull, BIT(52) - 1, 4096, RW, CACHE_WB);
	assert_int_equal(pt_map(&pt, -BIT(47), 0, 4096, RW, CACHE_WB, NULL), OK);
	assert_int_equal(pt_map(&pt, BIT(47) - 4096, 0, 4096, RW, CACHE_WB, NULL), OK);
	assert_int_equal(pt_map(&ept, BIT(48) - 4096, 0, 4096, RW, CACHE_WB, NULL), OK);
	assert_int_equal(pt_unmap(&pt, -4096ull, 4096, NULL), OK);
	assert_int_equal(pt_unmap(&pt, 0ull - 2 * MIB, 2 * MIB, NULL), OK);
	pt_destroy(&pt, 0, 0);
	pt_destroy(&ept, 0, 0);
}

static void test_exists(void **state)
{
	struct pt_change change;
	struct pt pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_ept, &allocator, 3), OK);
	assert_int_equal(pt_map(&pt, GIB, GIB, GIB, RWX, CACHE_WB, NULL), OK);
	assert_int_equal(pt_map(&pt, GIB + 4096, 0, 4096, RWX, CACHE_WB, &change), ERR_EXISTS);
	assert_false(change.any_added);
	assert_int_equal(pt_map(&pt, 0, 0, GIB + 4096, RWX, CACHE_WB, NULL), ERR_EXISTS);
	expect_hole(&pt, 0, GIB);
	assert_int_equal(pages_used, 2);
	assert_int_equal(pt_map(&pt, 0, 0, 3 * GIB, RWX, CACHE_WB, NULL), ERR_EXISTS);
	pt_destroy(&pt, 0, 0);
}

static void test_unmap_splits(void **state)
{
	struct pt_change change;
	struct pt pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 3), OK);
	assert_int_equal(pt_map(&pt, 0, 4 * GIB, GIB, RW, CACHE_WT, NULL), OK);
	assert_int_equal(pages_used, 2);
	assert_int_equal(pt_unmap(&pt, 6 * MIB + 4096, 4096, &change), OK);
	assert_true(change.any_removed && !change.tables_freed && !change.any_added);
	expect_hole(&pt, 6 * MIB + 4096, 4096);
	expect(&pt, 6 * MIB, 4 * GIB + 6 * MIB, 4096, RW, CACHE_WT);
	expect(&pt, 6 * MIB + 8192, 4 * GIB + 6 * MIB + 8192, 4096, RW, CACHE_WT);
	expect(&pt, 4 * MIB, 4 * GIB + 4 * MIB, 2 * MIB, RW, CACHE_WT);
	expect(&pt, GIB - 1, 5 * GIB - 1, 2 * MIB, RW, CACHE_WT);
	/* PD and PT; what two ends in one leaf reserve too much went back */
	assert_int_equal(pages_used, 4);
	/* whole tables go, but only at pt_reap() */
	assert_int_equal(pt_unmap(&pt, 0, GIB, &change), OK);
	assert_true(change.any_removed && change.tables_freed);
	assert_int_equal(pages_used, 4);
	expect_hole(&pt, 0, GIB);
	pt_reap(&pt);
	assert_int_equal(pages_used, 2);
	assert_int_equal(pt_unmap(&pt, 0, GIB, &change), OK);
	assert_false(change.any_removed || change.tables_freed);
	pt_destroy(&pt, 0, 0);
}

/* A CPU may still read a detached page: it must not find anything present in it. */
static void test_detached_is_empty(void **state)
{
	(void)state;
	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		struct pt pt;
		u32 seen = 0;

		assert_int_equal(pt_init(&pt, formats[f], &allocator, 1), OK);
		assert_int_equal(pt_map(&pt, 0, 0, 8 * MIB, RWX, CACHE_WB, NULL), OK);
		assert_int_equal(pt_unmap(&pt, 0, 8 * MIB, NULL), OK);
		for (const u64 *page = pt.detached; page; page = *(const u64 *const *)page, seen++) {
			for (u32 i = 0; i < 512; i++)
				assert_false(formats[f]->present(page[i]));
		}
		assert_int_equal(seen, 5); /* four PTs and the PD */
		pt_destroy(&pt, 0, 0);
		assert_int_equal(pages_used, 0);
	}
}

static void test_protect(void **state)
{
	struct pt_change change;
	struct pt pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_ept, &allocator, 3), OK);
	assert_int_equal(pt_map(&pt, 0, 0, 4 * MIB, RWX, CACHE_WB, NULL), OK);
	assert_int_equal(pt_protect(&pt, 4096, 2 * MIB, RX, &change), OK);
	assert_true(change.any_removed && !change.any_relaxed && !change.any_added && !change.tables_freed);
	expect(&pt, 0, 0, 4096, RWX, CACHE_WB);
	expect(&pt, 4096, 4096, 4096, RX, CACHE_WB);
	expect(&pt, 2 * MIB, 2 * MIB, 4096, RX, CACHE_WB);
	expect(&pt, 2 * MIB + 4096, 2 * MIB + 4096, 4096, RWX, CACHE_WB);
	assert_int_equal(pt_protect(&pt, 0, 4 * MIB, RWX, &change), OK);
	assert_true(!change.any_removed && change.any_relaxed);
	assert_int_equal(pt_protect(&pt, 0, GIB, RWX, &change), OK);
	assert_true(!change.any_removed && !change.any_relaxed);
	expect_hole(&pt, 4 * MIB, 2 * MIB);
	pt_destroy(&pt, 0, 0);
}

/* Accessed and dirty, which the CPU set, outlive splitting and protecting. */
static void test_sticky(void **state)
{
	struct pt pt;
	u64 *entry;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_ept, &allocator, 2), OK);
	assert_int_equal(pt_map(&pt, 0, 0, 2 * MIB, RWX, CACHE_WB, NULL), OK);
	entry = pt_entry(&pt, 0, 2);
	*entry |= BIT(8) | BIT(9);
	assert_int_equal(pt_protect(&pt, 0, 4096, PT_READ, NULL), OK);
	assert_int_equal(entry_at(&pt, 0, 1), 0x1 | 6 << 3 | BIT(8) | BIT(9));
	assert_int_equal(entry_at(&pt, 0x1ff000, 1), 0x1ff000 | 0x7 | 6 << 3 | BIT(8) | BIT(9));
	pt_destroy(&pt, 0, 0);
}

static void test_entry(void **state)
{
	struct pt pt;
	u64 *entry;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 3), OK);
	allocations_left = 2;
	assert_null(pt_entry(&pt, TOP_2GIB, 1));
	assert_int_equal(pages_used, 1);
	allocations_left = 3;
	entry = pt_entry(&pt, TOP_2GIB + 4096, 1);
	assert_non_null(entry);
	allocations_left = 0;
	assert_ptr_equal(pt_entry(&pt, TOP_2GIB + 8192, 1), entry + 1);
	*entry = pt_format_host.leaf(0x7000, 1, RW, CACHE_WB);
	expect(&pt, TOP_2GIB + 4096, 0x7000, 4096, RW, CACHE_WB);
	allocations_left = -1;
	assert_int_equal(pt_map(&pt, 0, 0, GIB, RW, CACHE_WB, NULL), OK);
	assert_null(pt_entry(&pt, 0, 1));
	assert_non_null(pt_entry(&pt, 0, 3));
	pt_destroy(&pt, 0, 0);
}

/* Page by page: the table is remembered within 2 MiB, and forgotten with it. */
static void test_map_page(void **state)
{
	(void)state;
	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		const u32 rights = formats[f] == &pt_format_npt ? RWX | (u32)PT_USER : RWX;
		const u64 at = 4 * MIB;
		struct pt pt;

		assert_int_equal(pt_init(&pt, formats[f], &allocator, 3), OK);
		allocations_left = 2;
		assert_int_equal(pt_map_page(&pt, at, 0x7000, rights, CACHE_WB), ERR_MEMORY);
		assert_int_equal(pages_used, 1);
		allocations_left = 3;
		assert_int_equal(pt_map_page(&pt, at, 0x7000, rights, CACHE_WB), OK);
		assert_int_equal(pt_map_page(&pt, at + 4096, 0x5000, rights, CACHE_WB), OK);
		assert_int_equal(pt_map_page(&pt, at + 4096, 0x9000, rights, CACHE_WB), ERR_EXISTS);
		assert_int_equal(pt_map_page(&pt, at + 8192, 0x6000, rights & ~(u32)PT_WRITE, CACHE_UC), OK);
		assert_int_equal(pt_map_page(&pt, at + 2 * MIB, 0x9000, rights, CACHE_WB), ERR_MEMORY);
		assert_int_equal(pt_map_page(&pt, at + 0x10000, 0x5000, rights, CACHE_WB), OK);
		expect(&pt, at, 0x7000, 4096, rights, CACHE_WB);
		expect(&pt, at + 4096, 0x5000, 4096, rights, CACHE_WB);
		expect(&pt, at + 8192, 0x6000, 4096, rights & ~(u32)PT_WRITE, CACHE_UC);
		expect_hole(&pt, at + 12288, 4096);
		allocations_left = -1;
		/* The table goes with its last page, and must not be written to any more. */
		assert_int_equal(pt_unmap(&pt, at, 2 * MIB, NULL), OK);
		pt_reap(&pt);
		assert_int_equal(pt_map_page(&pt, at + 4096, 0x5000, rights, CACHE_WB), OK);
		expect(&pt, at + 4096, 0x5000, 4096, rights, CACHE_WB);
		expect_hole(&pt, at, 4096);
		assert_int_equal(pt_map(&pt, GIB, GIB, 2 * MIB, rights, CACHE_WB, NULL), OK);
		assert_int_equal(pt_map_page(&pt, GIB, 0x5000, rights, CACHE_WB), ERR_EXISTS);
		pt_destroy(&pt, 0, 0);
	}
}

/* A slot shared with another root is left alone by the end of this one. */
static void test_shared_slots(void **state)
{
	struct pt base, vm;

	(void)state;
	assert_int_equal(pt_init(&base, &pt_format_host, &allocator, 3), OK);
	assert_int_equal(pt_map(&base, TOP_2GIB, 0, 4096, RX, CACHE_WB, NULL), OK);
	assert_int_equal(pt_init(&vm, &pt_format_host, &allocator, 3), OK);
	((u64 *)vm.root)[511] = ((u64 *)base.root)[511];
	assert_int_equal(pt_map(&vm, 0, 0, 4096, RW, CACHE_WB, NULL), OK);
	expect(&vm, TOP_2GIB, 0, 4096, RX, CACHE_WB);
	assert_int_equal(pages_used, 4 + 4);
	pt_destroy(&vm, 511, 1);
	assert_int_equal(pages_used, 4);
	expect(&base, TOP_2GIB, 0, 4096, RX, CACHE_WB);
	/* the table a root points to stays, so that roots sharing it see what comes later */
	assert_int_equal(pt_unmap(&base, TOP_2GIB, 4096, NULL), OK);
	pt_reap(&base);
	assert_int_equal(pages_used, 2);
	pt_destroy(&base, 0, 0);
}

struct seen {
	u32 count, stop_after;
	u64 va[4];
};

static bool see(void *context, u64 va, const struct pt_leaf *leaf)
{
	struct seen *seen = context;

	(void)leaf;
	seen->va[seen->count++] = va;
	return seen->count != seen->stop_after;
}

static void test_walk(void **state)
{
	struct seen seen = {0}, first = {.stop_after = 1};
	struct pt pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &pt_format_host, &allocator, 3), OK);
	assert_int_equal(pt_map(&pt, -4096ull, 0, 4096, RW, CACHE_WB, NULL), OK);
	assert_int_equal(pt_map(&pt, GIB, 0, GIB, RW, CACHE_WB, NULL), OK);
	assert_int_equal(pt_map(&pt, -BIT(47), 0, 2 * MIB, RW, CACHE_WB, NULL), OK);
	pt_walk(&pt, see, &seen);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.va[0], GIB);
	assert_int_equal(seen.va[1], -BIT(47));
	assert_int_equal(seen.va[2], -4096ull);
	pt_walk(&pt, see, &first);
	assert_int_equal(first.count, 1);
	pt_destroy(&pt, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_init, no_page_left),
		cmocka_unit_test_teardown(test_entries, no_page_left),
		cmocka_unit_test_teardown(test_ept_reserved_bits, no_page_left),
		cmocka_unit_test_teardown(test_sizes, no_page_left),
		cmocka_unit_test_teardown(test_largest, no_page_left),
		cmocka_unit_test_teardown(test_unaligned, no_page_left),
		cmocka_unit_test_teardown(test_arguments, no_page_left),
		cmocka_unit_test_teardown(test_exists, no_page_left),
		cmocka_unit_test_teardown(test_unmap_splits, no_page_left),
		cmocka_unit_test_teardown(test_detached_is_empty, no_page_left),
		cmocka_unit_test_teardown(test_protect, no_page_left),
		cmocka_unit_test_teardown(test_sticky, no_page_left),
		cmocka_unit_test_teardown(test_entry, no_page_left),
		cmocka_unit_test_teardown(test_map_page, no_page_left),
		cmocka_unit_test_teardown(test_shared_slots, no_page_left),
		cmocka_unit_test_teardown(test_walk, no_page_left),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
