// sources: arch/x86_64/mmu/window.c
/*
 * Which access the window's copies choose, and their limits; the accesses themselves (window.asm) are privileged and
 * stand in here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86_64/mmu/window.h"
#include "core/layout.h"

int window_copy(void *to, const void *from, u64 size);
int window_exchange32(void *at, u64 *expected, u64 desired);
int window_exchange64(void *at, u64 *expected, u64 desired);

static char done[32];
static u64 address, moved;
static bool faults;

static int record(const char *what, const void *at)
{
	snprintf(done, sizeof(done), "%s", what);
	address = (u64)at - WINDOW_BASE;
	return faults;
}

#define ACCESS(bits)                                                                                                   \
	int window_load##bits(const void *from, u64 *value);                                                           \
	int window_load##bits(const void *from, u64 *value)                                                            \
	{                                                                                                              \
		*value = 0x1122334455667788ull & BITS(bits - 1, 0);                                                    \
		return record("load" #bits, from);                                                                     \
	}                                                                                                              \
	int window_store##bits(void *to, u64 value);                                                                   \
	int window_store##bits(void *to, u64 value)                                                                    \
	{                                                                                                              \
		moved = value;                                                                                         \
		return record("store" #bits, to);                                                                      \
	}

ACCESS(8)
ACCESS(16)
ACCESS(32)
ACCESS(64)

int window_copy(void *to, const void *from, u64 size)
{
	moved = size;
	return (u64)to >= WINDOW_BASE ? record("copy in", to) : record("copy out", from);
}

int window_exchange32(void *at, u64 *expected, u64 desired)
{
	*expected = 7;
	moved = desired;
	return record("exchange32", at);
}

int window_exchange64(void *at, u64 *expected, u64 desired)
{
	*expected = 8;
	moved = desired;
	return record("exchange64", at);
}

static void test_one_access(void **state)
{
	static const struct {
		gpa_t gpa;
		u64 size;
		const char *read, *write;
	} cases[] = {
		{0x1001, 1, "load8", "store8"},	     {0x1002, 2, "load16", "store16"},
		{0x1004, 4, "load32", "store32"},    {0x1008, 8, "load64", "store64"},
		{0x1001, 2, "copy out", "copy in"},  {0x1002, 4, "copy out", "copy in"},
		{0x1004, 8, "copy out", "copy in"},  {0x1000, 3, "copy out", "copy in"},
		{0x1000, 16, "copy out", "copy in"}, {0x1000, 0, "copy out", "copy in"},
	};
	u8 buffer[32];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(buffer, 0xee, sizeof(buffer));
		assert_int_equal(window_read(buffer, cases[i].gpa, cases[i].size), OK);
		assert_string_equal(done, cases[i].read);
		assert_int_equal(address, cases[i].gpa);
		if (cases[i].read[0] == 'l') {
			assert_memory_equal(buffer, "\x88\x77\x66\x55\x44\x33\x22\x11", cases[i].size);
			assert_int_equal(buffer[cases[i].size], 0xee);
		}
		assert_int_equal(window_write(cases[i].gpa,
					      "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
					      cases[i].size),
				 OK);
		assert_string_equal(done, cases[i].write);
		assert_int_equal(address, cases[i].gpa);
		if (cases[i].write[0] == 's')
			assert_int_equal(moved, 0x0807060504030201ull & BITS(cases[i].size * 8 - 1, 0));
		else
			assert_int_equal(moved, cases[i].size);
	}
}

static void test_limits(void **state)
{
	u8 buffer[32] = {0};
	u64 expected = 0;

	(void)state;
	done[0] = 0;
	assert_int_equal(window_read(buffer, WINDOW_SIZE, 1), ERR_RANGE);
	assert_int_equal(window_read(buffer, WINDOW_SIZE - 7, 8), ERR_RANGE);
	assert_int_equal(window_read(buffer, ~0ull, 2), ERR_RANGE);
	assert_int_equal(window_read(buffer, 0, ~0ull), ERR_RANGE);
	assert_int_equal(window_write(WINDOW_SIZE - 15, buffer, 16), ERR_RANGE);
	assert_int_equal(window_write(~0ull - 7, buffer, 8), ERR_RANGE);
	assert_int_equal(window_compare_exchange(WINDOW_SIZE, 8, &expected, 0), ERR_RANGE);
	assert_int_equal(window_compare_exchange(4, 8, &expected, 0), ERR_INVALID);
	assert_int_equal(window_compare_exchange(2, 4, &expected, 0), ERR_INVALID);
	assert_int_equal(window_compare_exchange(0, 2, &expected, 0), ERR_INVALID);
	assert_string_equal(done, "");
	assert_int_equal(window_read(buffer, WINDOW_SIZE - 8, 8), OK);
	assert_int_equal(window_compare_exchange(0x1004, 4, &expected, 9), OK);
	assert_string_equal(done, "exchange32");
	assert_int_equal(expected, 7);
	assert_int_equal(window_compare_exchange(0x1008, 8, &expected, 9), OK);
	assert_string_equal(done, "exchange64");
	assert_int_equal(moved, 9);
}

static void test_faults(void **state)
{
	u8 buffer[32] = {0};
	u64 expected = 0;

	(void)state;
	faults = true;
	assert_int_equal(window_read(buffer, 0x1000, 8), ERR_RANGE);
	assert_int_equal(window_read(buffer, 0x1000, 9), ERR_RANGE);
	assert_int_equal(window_write(0x1000, buffer, 4), ERR_RANGE);
	assert_int_equal(window_write(0x1000, buffer, 5), ERR_RANGE);
	assert_int_equal(window_compare_exchange(0x1000, 8, &expected, 0), ERR_RANGE);
	assert_int_equal(window_compare_exchange(0x1000, 4, &expected, 0), ERR_RANGE);
	faults = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_access),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
