// sources: lib/fmt.c
/* fmt_print against libc's snprintf, which is the definition. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "lib/fmt.h"

/* Each case with every buffer size from 0 to more than enough, with a guard behind. */
#define SAME(...)                                                                    \
	do {                                                                         \
		for (size_t size = 0; size < 80; size++) {                           \
			char ours[96], theirs[96];                                   \
			memset(ours, 0x5a, sizeof(ours));                            \
			memset(theirs, 0x5a, sizeof(theirs));                        \
			int a = fmt_print(ours, size, __VA_ARGS__);                  \
			int b = snprintf(theirs, size, __VA_ARGS__);                 \
			assert_int_equal(a, b);                                      \
			assert_memory_equal(ours, theirs, sizeof(ours));             \
		}                                                                    \
	} while (0)

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-truncation"

static void test_plain(void **state)
{
	(void)state;
	SAME("%s", "");
	SAME("plain text");
	SAME("100%%|%c%c|", 'a', 'z');
	SAME("[%5c][%-5c]", 'x', 'y');
}

static void test_strings(void **state)
{
	(void)state;
	SAME("[%s][%10s][%-10s]", "abc", "def", "ghi");
	SAME("[%.2s][%10.2s][%-10.2s][%.0s]", "abc", "def", "ghi", "jkl");
	SAME("[%.*s][%*s][%-*s][%*s]", 3, "abcdef", 9, "right", 9, "left", -9, "neg");
	SAME("[%.*s]", -1, "all of it");
}

static void test_string_without_end(void **state)
{
	const char piece[4] = {'p', 'i', 'e', 'c'};

	(void)state;
	SAME("[%.4s]", piece);
	SAME("[%.*s]", 2, piece);
}

static void test_signed(void **state)
{
	static const long long values[] = {0,	1,    -1,    9,	      10,      -10,	  42,
					   127, -128, 32767, INT_MAX, INT_MIN, LLONG_MAX, LLONG_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		long long v = values[i];

		SAME("%d|%i|%5d|%-5d|%05d|%-05d", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
		SAME("%hhd|%hd|%ld|%lld|%zd", (int)v, (int)v, (long)v, v, (ssize_t)v);
		SAME("%22lld|%-22lld|%022lld", v, v, v);
	}
}

static void test_unsigned(void **state)
{
	static const unsigned long long values[] = {
		0, 1, 9, 10, 15, 16, 255, 256, 65535, 65536, UINT_MAX, ULLONG_MAX, 0xdeadbeefcafeull};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		unsigned long long v = values[i];

		SAME("%u|%x|%X|%8x|%-8X|%08x", (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v,
		     (unsigned)v);
		SAME("%hhu|%hx|%lu|%llx|%zu", (unsigned)v, (unsigned)v, (unsigned long)v, v, (size_t)v);
		SAME("%20llu|%016llx|%-20llX|%0*llx", v, v, v, 12, v);
	}
}

static void test_pointer(void **state)
{
	char buf[32];

	(void)state;
	SAME("%p|%20p|%-20p|", (void *)0x1234, (void *)0xffffffff80000000ul, (void *)1);
	/* glibc says (nil); an address is more use in a register dump. */
	assert_int_equal(fmt_print(buf, sizeof(buf), "%p", NULL), 3);
	assert_string_equal(buf, "0x0");
}

static void test_unknown_conversion_is_shown(void **state)
{
	char buf[32];

	(void)state;
	fmt_print(buf, sizeof(buf), "%d %q %d", 1, 2);
	assert_string_equal(buf, "1 %q %d");
	fmt_print(buf, sizeof(buf), "ends in %");
	assert_string_equal(buf, "ends in %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	 cmocka_unit_test(test_strings),
		cmocka_unit_test(test_string_without_end),
		cmocka_unit_test(test_signed),	 cmocka_unit_test(test_unsigned), cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_unknown_conversion_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
