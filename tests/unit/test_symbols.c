// sources: arch/x86_64/cpu/symbols.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/cpu/symbols.h"

#define BASE 0xffffffff80000000ull

static struct symbol_table *make(u64 count)
{
	struct symbol_table *table = calloc(1, sizeof(*table) + count * sizeof(struct symbol));

	table->base = BASE;
	table->size = 0x1000;
	table->names = "first\0second\0third";
	table->count = count;
	return table;
}

static void test_lookup(void **state)
{
	struct symbol_table *table = make(3);
	u64 offset = 99;

	(void)state;
	table->symbols[0] = (struct symbol){0x10, 0};
	table->symbols[1] = (struct symbol){0x40, 6};
	table->symbols[2] = (struct symbol){0x41, 13};
	assert_null(symbol_lookup(table, BASE - 1, &offset));
	assert_null(symbol_lookup(table, BASE, &offset));
	assert_null(symbol_lookup(table, BASE + 0xf, &offset));
	assert_string_equal(symbol_lookup(table, BASE + 0x10, &offset), "first");
	assert_int_equal(offset, 0);
	assert_string_equal(symbol_lookup(table, BASE + 0x3f, &offset), "first");
	assert_int_equal(offset, 0x2f);
	assert_string_equal(symbol_lookup(table, BASE + 0x40, &offset), "second");
	assert_int_equal(offset, 0);
	assert_string_equal(symbol_lookup(table, BASE + 0xfff, &offset), "third");
	assert_int_equal(offset, 0xfff - 0x41);
	assert_null(symbol_lookup(table, BASE + 0x1000, &offset));
	assert_null(symbol_lookup(table, 0, &offset));
	assert_null(symbol_lookup(table, ~0ull, &offset));
	free(table);
}

/* The first link's table. */
static void test_empty(void **state)
{
	struct symbol_table *table = make(0);
	u64 offset;

	(void)state;
	assert_null(symbol_lookup(table, BASE + 1, &offset));
	table->size = 0;
	assert_null(symbol_lookup(table, BASE, &offset));
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lookup), cmocka_unit_test(test_empty)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
