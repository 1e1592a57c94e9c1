// sources: lib/string_copy.c lib/error.c
/* lib/string.c against libc: included here under other names, since on the host its own belong to libc. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/error.h"

#define memset	our_memset
#define memcpy	our_memcpy
#define memmove our_memmove
#define memcmp	our_memcmp
#define strlen	our_strlen
#define strnlen our_strnlen
#define strcmp	our_strcmp
#define strncmp our_strncmp
#define strchr	our_strchr
#include "lib/string.c"
#undef memset
#undef memcpy
#undef memmove
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void fill(u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (u8)(i * 7 + 3);
}

static void test_memset(void **state)
{
	u8 a[40], b[40];

	(void)state;
	for (size_t n = 0; n <= 32; n++) {
		fill(a, sizeof(a));
		fill(b, sizeof(b));
		assert_ptr_equal(our_memset(a + 3, 0x1a5, n), a + 3);
		memset(b + 3, 0x1a5, n);
		assert_memory_equal(a, b, sizeof(a));
	}
}

static void test_memcpy(void **state)
{
	u8 from[40], to[40], expected[40];

	(void)state;
	fill(from, sizeof(from));
	for (size_t n = 0; n <= 32; n++) {
		memset(to, 0xee, sizeof(to));
		memset(expected, 0xee, sizeof(expected));
		assert_ptr_equal(our_memcpy(to + 1, from + 5, n), to + 1);
		memcpy(expected + 1, from + 5, n);
		assert_memory_equal(to, expected, sizeof(to));
	}
}

static void test_memmove_overlapping(void **state)
{
	u8 a[64], b[64];

	(void)state;
	for (size_t to = 0; to < 16; to++)
		for (size_t from = 0; from < 16; from++)
			for (size_t n = 0; n <= 40; n++) {
				fill(a, sizeof(a));
				fill(b, sizeof(b));
				our_memmove(a + to, a + from, n);
				memmove(b + to, b + from, n);
				assert_memory_equal(a, b, sizeof(a));
			}
}

static void test_compare(void **state)
{
	static const char *const words[] = {"", "a", "ab", "abc", "abd", "b", "\xff", "a\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			size_t shorter = MIN(strlen(words[i]), strlen(words[j]));

			assert_int_equal(sign(our_strcmp(words[i], words[j])), sign(strcmp(words[i], words[j])));
			assert_int_equal(sign(our_memcmp(words[i], words[j], shorter)),
					 sign(memcmp(words[i], words[j], shorter)));
			for (size_t n = 0; n < 5; n++)
				assert_int_equal(sign(our_strncmp(words[i], words[j], n)),
						 sign(strncmp(words[i], words[j], n)));
		}
}

static void test_search(void **state)
{
	const char *s = "hello";

	(void)state;
	assert_int_equal(our_strlen(""), 0);
	assert_int_equal(our_strlen(s), 5);
	assert_int_equal(our_strnlen(s, 3), 3);
	assert_int_equal(our_strnlen(s, 9), 5);
	assert_ptr_equal(our_strchr(s, 'l'), s + 2);
	assert_ptr_equal(our_strchr(s, 0), s + 5);
	assert_null(our_strchr(s, 'x'));
}

static void test_string_copy(void **state)
{
	char buf[4] = "zzz";

	(void)state;
	assert_true(string_copy(buf, sizeof(buf), "abc"));
	assert_string_equal(buf, "abc");
	assert_false(string_copy(buf, sizeof(buf), "defg"));
	assert_string_equal(buf, "def");
	assert_false(string_copy(buf, 0, "x"));
	assert_true(string_copy(buf, 0, ""));
	assert_string_equal(buf, "def");
	assert_true(string_copy(buf, 1, ""));
	assert_string_equal(buf, "");
}

static void test_error_name(void **state)
{
	(void)state;
	for (int error = OK; error >= ERR_TIMEOUT; error--)
		assert_non_null(error_name(error));
	assert_string_equal(error_name(ERR_TIMEOUT), "no answer in time");
	assert_string_equal(error_name(ERR_TIMEOUT - 1), "unknown error");
	assert_string_equal(error_name(1), "unknown error");
	assert_string_equal(error_name(INT32_MIN), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memset),	cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memmove_overlapping),
		cmocka_unit_test(test_compare), cmocka_unit_test(test_search), cmocka_unit_test(test_string_copy),
		cmocka_unit_test(test_error_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
