// sources: boot/paging.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "boot/paging.h"

#define NOWHERE (~0ull)

static struct paging_plan plan;
static struct paging paging;
static u64 *arena;

static int setup(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(arena);
	arena = NULL;
	return 0;
}

/* Tables of exactly the size asked for, so that ASan sees a write past them. */
static void make_tables(u32 pages, bool gib_leaves)
{
	arena = aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
	memset(arena, 0, pages * PAGE_SIZE);
	paging_init(&paging, arena, pages, gib_leaves);
}

/* Walk as the processor does (SDM "4-Level Paging"): the physical address, and the leaf's size. */
static u64 translate(u64 va, u64 *size)
{
	const u64 *table = arena;

	for (u32 level = 4;; level--) {
		u64 entry = table[va >> (12 + 9 * (level - 1)) & 511];

		*size = 1ull << (12 + 9 * (level - 1));
		if (!(entry & 1))
			return NOWHERE;
		assert_true(entry & 2);
		if (level == 1 || (entry & 0x80))
			return (entry & 0x000ffffffffff000ull & ~(*size - 1)) | (va & (*size - 1));
		table = (const u64 *)(entry & 0x000ffffffffff000ull);
	}
}

static void assert_mapped(u64 va, u64 pa, u64 leaf)
{
	u64 size;

	assert_int_equal(translate(va, &size), pa);
	assert_int_equal(size, leaf);
}

static void assert_hole(u64 va)
{
	u64 size;

	assert_int_equal(translate(va, &size), NOWHERE);
}

static void ram_is_mapped_twice_with_the_largest_leaves(void **state)
{
	(void)state;
	paging_plan_add(&plan, 0x1000, 3 * GIB + 0x1000);
	paging_plan_add(&plan, 4 * GIB, 6 * GIB);
	make_tables(paging_pages_needed(&plan, 0, 0, true), true);
	assert_int_equal(paging_map_plan(&paging, &plan), OK);
	assert_mapped(0x1234, 0x1234, GIB);
	assert_mapped(3 * GIB - 1, 3 * GIB - 1, GIB);
	assert_mapped(3 * GIB + 0x1fffff, 3 * GIB + 0x1fffff, 2 * MIB);
	assert_hole(3 * GIB + 2 * MIB);
	assert_hole(4 * GIB - 1);
	assert_mapped(6 * GIB - 1, 6 * GIB - 1, GIB);
	assert_hole(6 * GIB);
	assert_mapped(POOL_BASE + 5 * GIB + 5, 5 * GIB + 5, GIB);
	assert_hole(POOL_BASE + 6 * GIB);
}

static void without_gib_pages_everything_is_2_mib(void **state)
{
	(void)state;
	paging_plan_add(&plan, 0, 2 * GIB);
	make_tables(paging_pages_needed(&plan, 0, 0, false), false);
	assert_int_equal(paging_map_plan(&paging, &plan), OK);
	assert_mapped(0, 0, 2 * MIB);
	assert_mapped(POOL_BASE + 2 * GIB - 1, 2 * GIB - 1, 2 * MIB);
	assert_hole(2 * GIB);
}

static void image_is_mapped_by_pages(void **state)
{
	const u64 image_size = 5 * MIB;

	(void)state;
	paging_plan_add(&plan, 0, GIB / 2);
	make_tables(paging_pages_needed(&plan, image_size, 0, true), true);
	assert_int_equal(paging_map_plan(&paging, &plan), OK);
	assert_int_equal(paging_map(&paging, IMAGE_BASE, 0x123000, image_size, false), OK);
	assert_mapped(IMAGE_BASE, 0x123000, PAGE_SIZE);
	assert_mapped(IMAGE_BASE + image_size - 1, 0x123000 + image_size - 1, PAGE_SIZE);
	assert_hole(IMAGE_BASE + image_size);
	/* The same again is nothing new; something else in its place is an error. */
	assert_int_equal(paging_map(&paging, IMAGE_BASE, 0x123000, PAGE_SIZE, false), OK);
	assert_int_equal(paging_map(&paging, IMAGE_BASE, 0x124000, PAGE_SIZE, false), ERR_EXISTS);
}

static void framebuffer_above_the_pool_is_mapped(void **state)
{
	const u64 base = 0x4000000000ull + POOL_LIMIT, size = 3 * GIB;

	(void)state;
	paging_plan_add(&plan, base, base + size); /* no effect: too high */
	paging_plan_add(&plan, 0, GIB);
	make_tables(paging_pages_needed(&plan, 0, size, false), false);
	assert_int_equal(paging_map_plan(&paging, &plan), OK);
	assert_int_equal(paging_map(&paging, base, base, size, true), OK);
	assert_mapped(base + size - 1, base + size - 1, 2 * MIB);
	assert_hole(base + size);
	assert_hole(POOL_BASE + GIB);
}

/* The worst image and framebuffer for the count: both straddle as many tables as they can, beside scattered RAM. */
static void the_count_of_pages_is_enough(void **state)
{
	(void)state;
	for (u64 gib = 0; gib < POOL_LIMIT / GIB; gib += 3)
		paging_plan_add(&plan, gib * GIB + GIB / 2, gib * GIB + GIB / 2 + 1);
	make_tables(paging_pages_needed(&plan, 64 * MIB, 3 * GIB, true), true);
	assert_int_equal(paging_map_plan(&paging, &plan), OK);
	assert_int_equal(paging_map(&paging, IMAGE_BASE + GIB - 33 * MIB + PAGE_SIZE, 0x1000, 64 * MIB, false), OK);
	assert_int_equal(paging_map(&paging, 2 * POOL_LIMIT - 2 * MIB, 0, 3 * GIB, true), OK);
}

static void a_full_arena_is_an_error(void **state)
{
	(void)state;
	paging_plan_add(&plan, 0, 2 * MIB);
	paging_plan_add(&plan, 7 * GIB, 7 * GIB + 1);
	make_tables(3, true);
	assert_int_equal(paging_map_plan(&paging, &plan), ERR_MEMORY);
	assert_int_equal(paging_map(&paging, IMAGE_BASE, 0, PAGE_SIZE, false), ERR_MEMORY);
}

struct descriptor {
	u32 type, pad;
	u64 start, virtual_start, pages, attribute, beyond; /* firmware's are longer than the specification's */
};

static void only_ram_of_the_map_is_planned(void **state)
{
	static const struct descriptor map[] = {
		{.type = 7, .start = 0, .pages = 1},
		{.type = 0, .start = 4 * MIB, .pages = 512},		  /* reserved */
		{.type = 11, .start = 8 * MIB, .pages = 512},		  /* memory-mapped I/O */
		{.type = 9, .start = 12 * MIB, .pages = 1},		  /* ACPI tables */
		{.type = 10, .start = 14 * MIB, .pages = 1},		  /* ACPI NVS */
		{.type = 14, .start = 16 * MIB, .pages = 1},		  /* persistent */
		{.type = 15, .start = 18 * MIB, .pages = 1},		  /* unaccepted */
		{.type = 6, .start = 20 * MIB, .pages = 1},		  /* runtime data */
		{.type = 0x80000001, .start = 22 * MIB, .pages = 1},	  /* an OS's own */
		{.type = 7, .start = ~0ull - 4095, .pages = 2},		  /* wraps */
		{.type = 7, .start = 24 * MIB, .pages = ~0ull},		  /* absurd */
		{.type = 7, .start = POOL_LIMIT - 4096, .pages = 1ull << 24}, /* straddles the limit */
	};
	static const u64 mapped[] = {0, 12 * MIB, 14 * MIB, 20 * MIB, POOL_LIMIT - 1};
	static const u64 holes[] = {2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB, 18 * MIB, 22 * MIB, 24 * MIB, GIB};
	u64 size;

	(void)state;
	paging_plan_add_map(&plan, map, sizeof(map) + 8, sizeof(map[0])); /* 8 stray bytes at the end */
	paging_plan_add_map(&plan, map, sizeof(map), 16);		      /* too small to be descriptors */
	make_tables(paging_pages_needed(&plan, 0, 0, true), true);
	assert_int_equal(paging_map_plan(&paging, &plan), OK);
	for (u32 i = 0; i < ARRAY_SIZE(mapped); i++)
		assert_int_equal(translate(mapped[i], &size), mapped[i]);
	for (u32 i = 0; i < ARRAY_SIZE(holes); i++)
		assert_hole(holes[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ram_is_mapped_twice_with_the_largest_leaves),
		TEST(without_gib_pages_everything_is_2_mib),
		TEST(image_is_mapped_by_pages),
		TEST(framebuffer_above_the_pool_is_mapped),
		TEST(the_count_of_pages_is_enough),
		TEST(a_full_arena_is_an_error),
		TEST(only_ram_of_the_map_is_planned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
