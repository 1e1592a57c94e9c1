// sources: lib/ring.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/ring.h"

static void test_fill_and_empty(void **state)
{
	u8 memory[8], out[8];
	struct ring ring;

	(void)state;
	ring_init(&ring, memory, sizeof(memory));
	assert_int_equal(ring_used(&ring), 0);
	assert_int_equal(ring_free(&ring), 8);
	assert_int_equal(ring_get(&ring, out, 8), 0);
	assert_int_equal(ring_put(&ring, "abcdefghij", 10), 8);
	assert_int_equal(ring_free(&ring), 0);
	assert_int_equal(ring_put(&ring, "x", 1), 0);
	assert_int_equal(ring_get(&ring, out, 3), 3);
	assert_memory_equal(out, "abc", 3);
	assert_int_equal(ring_put(&ring, "ijkl", 4), 3);
	assert_int_equal(ring_get(&ring, out, 100), 8);
	assert_memory_equal(out, "defghijk", 8);
}

/* Every chunk size through the wrap of the free-running counters, against a byte counter. */
static void test_wraps(void **state)
{
	u8 memory[16], chunk[16];
	struct ring ring;
	u8 put = 0, got = 0;

	(void)state;
	ring_init(&ring, memory, sizeof(memory));
	ring.head = ring.tail = 0xfffffff0u - 5;
	for (u32 round = 0; round < 200; round++) {
		u32 n = round * 7 % 17;
		u32 taken;

		for (u32 i = 0; i < n && i < sizeof(chunk); i++)
			chunk[i] = (u8)(put + i);
		taken = ring_put(&ring, chunk, MIN(n, 16u));
		put = (u8)(put + taken);
		assert_true(ring_used(&ring) <= 16);
		taken = ring_get(&ring, chunk, round * 5 % 13);
		for (u32 i = 0; i < taken; i++)
			assert_int_equal(chunk[i], got++);
	}
	assert_int_equal((u8)(put - got), ring_used(&ring));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_fill_and_empty), cmocka_unit_test(test_wraps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
