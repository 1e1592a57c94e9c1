// sources: lib/ini.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "lib/ini.h"

/* The text in memory of exactly its size, so that ASan sees any read beyond. */
static struct ini start(const char *text, size_t size, char **copy)
{
	struct ini ini;

	*copy = malloc(size ? size : 1);
	assert_non_null(*copy);
	memcpy(*copy, text, size);
	ini_init(&ini, *copy, size);
	return ini;
}

static void assert_text(struct ini_text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.start, expected, text.length);
}

/* Read one line and expect a kind, a number and (NULL: any) key and value. */
static void expect(struct ini *ini, enum ini_kind kind, u32 number, const char *key, const char *value)
{
	struct ini_line line = ini_next(ini);

	assert_int_equal(line.kind, kind);
	assert_int_equal(line.number, number);
	if (key)
		assert_text(line.key, key);
	if (value)
		assert_text(line.value, value);
	if (kind == INI_ERROR)
		assert_non_null(line.error);
}

static void test_good_file(void **state)
{
	static const char text[] = "# comment\n\n  ; other\r\n[ trivisor ]\r\n\tkey=value\n a b = \"x y \" \nempty "
				   "=\nq=\"\"\nlast = a = b # not a comment";
	char *copy;
	struct ini ini = start(text, sizeof(text) - 1, &copy);

	(void)state;
	expect(&ini, INI_SECTION, 4, "trivisor", NULL);
	expect(&ini, INI_PAIR, 5, "key", "value");
	expect(&ini, INI_PAIR, 6, "a b", "x y ");
	expect(&ini, INI_PAIR, 7, "empty", "");
	expect(&ini, INI_PAIR, 8, "q", "");
	expect(&ini, INI_PAIR, 9, "last", "a = b # not a comment");
	expect(&ini, INI_END, 9, NULL, NULL);
	expect(&ini, INI_END, 9, NULL, NULL);
	free(copy);
}

static void test_errors_and_going_on(void **state)
{
	static const char text[] = "[open\n[]\nword\n= v\nk = \"open\nk = \"a\"b\"\nk = \"\nk\0 = v\nok = 1\n[";
	char *copy;
	struct ini ini = start(text, sizeof(text) - 1, &copy);

	(void)state;
	for (u32 line = 1; line <= 8; line++)
		expect(&ini, INI_ERROR, line, NULL, NULL);
	expect(&ini, INI_PAIR, 9, "ok", "1");
	expect(&ini, INI_ERROR, 10, NULL, NULL);
	expect(&ini, INI_END, 10, NULL, NULL);
	free(copy);
}

static void test_empty_and_mark(void **state)
{
	char *copy;
	struct ini ini = start("", 0, &copy);

	(void)state;
	expect(&ini, INI_END, 0, NULL, NULL);
	free(copy);
	ini = start("\xef\xbb\xbf[a]", 6, &copy);
	expect(&ini, INI_SECTION, 1, "a", NULL);
	free(copy);
	ini = start("\r", 1, &copy);
	expect(&ini, INI_END, 1, NULL, NULL);
	free(copy);
}

static void test_items(void **state)
{
	struct ini_text list = {" a b , ,c,", 10}, item, word, rest;

	(void)state;
	assert_true(ini_next_item(&list, &item));
	assert_text(item, "a b");
	ini_split_word(item, &word, &rest);
	assert_text(word, "a");
	assert_text(rest, "b");
	assert_true(ini_next_item(&list, &item));
	assert_text(item, "");
	ini_split_word(item, &word, &rest);
	assert_int_equal(word.length + rest.length, 0);
	assert_true(ini_next_item(&list, &item));
	assert_text(item, "c");
	ini_split_word(item, &word, &rest);
	assert_text(word, "c");
	assert_int_equal(rest.length, 0);
	assert_false(ini_next_item(&list, &item));
	assert_false(ini_next_item(&list, &item));
	list = (struct ini_text){NULL, 0};
	assert_false(ini_next_item(&list, &item));
}

static void test_is(void **state)
{
	(void)state;
	assert_true(ini_is((struct ini_text){"abc", 3}, "abc"));
	assert_false(ini_is((struct ini_text){"abc", 3}, "ab"));
	assert_false(ini_is((struct ini_text){"abc", 2}, "abc"));
	assert_true(ini_is((struct ini_text){NULL, 0}, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_file),
		cmocka_unit_test(test_errors_and_going_on),
		cmocka_unit_test(test_empty_and_mark),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
