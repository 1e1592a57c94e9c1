// sources: core/pool.c
/* The hypervisor's own memory: pages and small objects, exhaustion, and misuse that must be seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/pool.h"
#include "fake_panic.h"

#define START (5 * GIB)
#define PAGES 256u

static u8 *memory;

static int setup(void **state)
{
	(void)state;
	memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	if (!memory)
		return -1;
	memset(memory, 0xee, PAGES * PAGE_SIZE);
	pool_base = (u64)memory - START;
	return pool_init(START, PAGES * PAGE_SIZE);
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static bool is_zero(const u8 *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static void test_init(void **state)
{
	paddr_t start;
	u64 size;

	(void)state;
	pool_range(&start, &size);
	assert_int_equal(start, START);
	assert_int_equal(size, PAGES * PAGE_SIZE);
	assert_int_equal(pool_bytes_used(), 0);
	assert_int_equal(pool_init(START + 1, PAGES * PAGE_SIZE), ERR_INVALID);
	assert_int_equal(pool_init(START, PAGES * PAGE_SIZE + 1), ERR_INVALID);
	assert_int_equal(pool_init(START, 15 * PAGE_SIZE), ERR_INVALID);
	assert_int_equal(pool_init(POOL_LIMIT, PAGES * PAGE_SIZE), ERR_INVALID);
	assert_int_equal(pool_init(POOL_LIMIT - 16 * PAGE_SIZE, 17 * PAGE_SIZE), ERR_INVALID);
}

static void test_pages(void **state)
{
	u8 *one = pool_alloc(1), *three = pool_alloc(3);

	(void)state;
	assert_non_null(one);
	assert_non_null(three);
	assert_true(is_zero(one, PAGE_SIZE) && is_zero(three, 3 * PAGE_SIZE));
	assert_int_equal((u64)one % PAGE_SIZE, 0);
	assert_true(pool_pa(one) >= START && pool_pa(one) < START + PAGES * PAGE_SIZE);
	assert_ptr_equal(pool_va(pool_pa(one)), one);
	assert_true(three >= one + PAGE_SIZE || three + 3 * PAGE_SIZE <= one);
	assert_int_equal(pool_bytes_used(), 4 * PAGE_SIZE);
	memset(three, 0xaa, 3 * PAGE_SIZE);
	pool_free(three, 3);
	assert_int_equal(pool_bytes_used(), PAGE_SIZE);
	/* zeroed again when given out again */
	three = pool_alloc(3);
	assert_true(is_zero(three, 3 * PAGE_SIZE));
	pool_free(three + PAGE_SIZE, 1);
	pool_free(three, 1);
	pool_free(three + 2 * PAGE_SIZE, 1);
	pool_free(one, 1);
	assert_int_equal(pool_bytes_used(), 0);
	assert_null(pool_alloc(0));
	assert_null(pool_alloc(PAGES));
}

/* All pages but the bitmap's own can be had, in any order, and again. */
static void test_exhaustion(void **state)
{
	void *page[PAGES];
	u32 count = 0;

	(void)state;
	while ((page[count] = pool_alloc(1)))
		count++;
	assert_int_equal(count, PAGES - 1);
	assert_null(pool_new(16));
	assert_null(pool_new(4096));
	/* a hole of two is found for two, wherever it is */
	pool_free(page[100], 1);
	assert_null(pool_alloc(2));
	pool_free(page[101], 1);
	assert_ptr_equal(pool_alloc(2), page[100]);
	/* and one that was passed over is found later */
	pool_free(page[50], 1);
	pool_free(page[200], 1);
	pool_free(page[201], 1);
	assert_ptr_equal(pool_alloc(2), page[200]);
	assert_ptr_equal(pool_alloc(1), page[50]);
	for (u32 i = 0; i < count; i++)
		pool_free(page[i], 1);
	assert_non_null(pool_alloc(PAGES - 1));
}

static void test_objects(void **state)
{
	static const size_t sizes[] = {1, 16, 17, 33, 64, 100, 500, 512, 1000, 1009, 2000, 2016, 2017, 2048, 4096};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *object[300];

		for (u32 n = 0; n < ARRAY_SIZE(object); n++) {
			if (sizes[i] > 1000 && n >= 60) {
				object[n] = NULL;
				continue;
			}
			object[n] = pool_new(sizes[i]);
			assert_non_null(object[n]);
			assert_int_equal((u64)object[n] % 16, 0);
			assert_true(is_zero(object[n], sizes[i]));
			memset(object[n], (int)n + 1, sizes[i]);
		}
		/* none overlaps another */
		for (u32 n = 0; n < ARRAY_SIZE(object); n++) {
			if (object[n])
				assert_true(object[n][0] == (u8)(n + 1) && object[n][sizes[i] - 1] == (u8)(n + 1));
		}
		for (u32 n = 0; n < ARRAY_SIZE(object); n += 2)
			pool_delete(object[n], sizes[i]);
		for (u32 n = 1; n < ARRAY_SIZE(object); n += 2)
			pool_delete(object[n], sizes[i]);
		assert_int_equal(pool_bytes_used(), 0);
	}
	assert_null(pool_new(4097));
}

static void test_misuse(void **state)
{
	u8 *page = pool_alloc(1), *object = pool_new(64), *other = pool_new(64);

	(void)state;
	expect_panic(pool_free(page, 3));
	expect_panic(pool_free(page + 16, 1));
	expect_panic(pool_free(page, 0));
	expect_panic(pool_free(memory - PAGE_SIZE, 1));
	expect_panic(pool_free(memory + PAGES * PAGE_SIZE, 1));
	expect_panic((pool_free(page, 1), pool_free(page, 1)));
	expect_panic((pool_delete(object, 64), pool_delete(object, 64)));
	expect_panic(pool_delete(object, 128));
	expect_panic(pool_delete(object + 16, 64));
	expect_panic(pool_delete((u8 *)((u64)object & ~(PAGE_SIZE - 1)), 64));
	pool_delete(NULL, 64);
	pool_delete(object, 64);
	pool_delete(other, 64);
	pool_free(page, 1);
	assert_int_equal(pool_bytes_used(), 0);
}

/* Random work against a list of what is held: each piece is written with its own byte and must keep it. */
static void test_random(void **state)
{
	struct {
		u8 *at;
		size_t size;
		u8 byte;
	} held[128] = {0};

	(void)state;
	srand(4);
	for (u32 step = 0; step < 20000; step++) {
		u32 i = (u32)rand() % ARRAY_SIZE(held);
		bool pages = i % 4 == 0;

		if (held[i].at) {
			assert_true(held[i].at[0] == held[i].byte && held[i].at[held[i].size - 1] == held[i].byte);
			if (pages)
				pool_free(held[i].at, (u32)(held[i].size / PAGE_SIZE));
			else
				pool_delete(held[i].at, held[i].size);
			held[i].at = NULL;
			continue;
		}
		held[i].size = pages ? (1 + (u64)(rand() % 9)) * PAGE_SIZE : 1 + (u64)(rand() % 2048);
		held[i].at = pages ? pool_alloc((u32)(held[i].size / PAGE_SIZE)) : pool_new(held[i].size);
		held[i].byte = (u8)(rand() % 255 + 1);
		if (held[i].at) {
			assert_true(is_zero(held[i].at, held[i].size));
			memset(held[i].at, held[i].byte, held[i].size);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(held); i++) {
		if (held[i].at && i % 4 == 0)
			pool_free(held[i].at, (u32)(held[i].size / PAGE_SIZE));
		else
			pool_delete(held[i].at, held[i].size);
	}
	assert_int_equal(pool_bytes_used(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_init, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exhaustion, setup, teardown),
		cmocka_unit_test_setup_teardown(test_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_misuse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
