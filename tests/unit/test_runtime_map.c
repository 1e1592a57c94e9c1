// sources: drivers/runtime_map.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "drivers/runtime_map.h"

#define RUNTIME BIT(63)
#define WB	BIT(3)

static struct runtime_map map;

static int setup(void **state)
{
	(void)state;
	memset(&map, 0, sizeof(map));
	return 0;
}

static void add(u32 type, u64 start, u64 pages, u64 attribute)
{
	const struct runtime_descriptor d = {.type = type, .start = start, .pages = pages, .attribute = attribute};

	runtime_map_add(&map, &d);
}

static void only_runtime_regions_count(void **state)
{
	(void)state;
	add(7, 0x1000, 5, WB);			       /* free memory */
	add(6, 0x10000, 2, RUNTIME | WB);	       /* data */
	add(5, 0x20000, 1, RUNTIME | WB);	       /* code */
	add(6, 0x30000, 1, WB);			       /* not needed any more */
	add(11, 0xffc00000, 0x400, RUNTIME | WB);      /* flash: never cached, whatever it could be */
	add(0, 0x40000, 1, RUNTIME | WB);	       /* reserved, but wanted */
	add(0, 0x50000, 1, RUNTIME);
	assert_int_equal(map.count, 5);
	assert_int_equal(map.left_out, 0);
	assert_int_equal(map.region[0].start, 0x10000);
	assert_int_equal(map.region[0].size, 0x2000);
	assert_int_equal(map.region[0].cache, CACHE_WB);
	assert_int_equal(map.region[1].cache, CACHE_WB);
	assert_int_equal(map.region[2].size, 4 * MIB);
	assert_int_equal(map.region[2].cache, CACHE_UC);
	assert_int_equal(map.region[3].cache, CACHE_WB);
	assert_int_equal(map.region[4].cache, CACHE_UC);
}

static void impossible_regions_are_left_out(void **state)
{
	(void)state;
	add(6, 0x1000, 0, RUNTIME);
	assert_int_equal(map.left_out, 0); /* empty: nothing is missing */
	add(6, 0x1001, 1, RUNTIME);
	add(6, BIT(47), 1, RUNTIME);
	add(6, BIT(47) - PAGE_SIZE, 2, RUNTIME);
	add(6, 0x1000, ~0ull, RUNTIME);
	add(6, 0x1000, BIT(52), RUNTIME); /* its size in bytes is 0 in 64 bits */
	assert_int_equal(map.count, 0);
	assert_int_equal(map.left_out, 5);
	add(6, BIT(47) - PAGE_SIZE, 1, RUNTIME);
	assert_int_equal(map.count, 1);
	for (u32 i = 0; i < RUNTIME_MAX_REGIONS; i++)
		add(6, PAGE_SIZE * i, 1, RUNTIME);
	assert_int_equal(map.count, RUNTIME_MAX_REGIONS);
	assert_int_equal(map.left_out, 6);
}

static void ranges_are_found_in_one_region(void **state)
{
	(void)state;
	add(6, 0x10000, 1, RUNTIME);
	add(6, 0x11000, 1, RUNTIME);
	assert_true(runtime_map_contains(&map, 0x10000, 8));
	assert_true(runtime_map_contains(&map, 0x10ff8, 8));
	assert_true(runtime_map_contains(&map, 0x11000, 0x1000));
	assert_false(runtime_map_contains(&map, 0x10ff9, 8));
	assert_false(runtime_map_contains(&map, 0xffff, 1));
	assert_false(runtime_map_contains(&map, 0x12000, 1));
	assert_false(runtime_map_contains(&map, 0x11fff, ~0ull));
	assert_false(runtime_map_contains(&map, ~0ull, 8));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_runtime_regions_count),
		TEST(impossible_regions_are_left_out),
		TEST(ranges_are_found_in_one_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
