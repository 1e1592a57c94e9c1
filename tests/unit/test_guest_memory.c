// sources: vmm/guest_memory_map.c vmm/placement.c vmm/e820.c
/* Which addresses are RAM, where a loader may put things, and the memory map made of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "vmm/e820.h"
#include "vmm/guest_memory.h"
#include "vmm/placement.h"

/* 0 to 2 MiB, touching 2 to 3 MiB (read-only), a hole, 16 to 17 MiB. */
static struct guest_memory example(void)
{
	struct guest_memory memory = {.count = 0};

	assert_int_equal(guest_memory_insert(&memory, 16 * MIB, MIB, true), OK);
	assert_int_equal(guest_memory_insert(&memory, 0, 2 * MIB, true), OK);
	assert_int_equal(guest_memory_insert(&memory, 2 * MIB, MIB, false), OK);
	return memory;
}

static void test_insert(void **state)
{
	struct guest_memory memory = example();

	(void)state;
	assert_int_equal(memory.count, 3);
	assert_int_equal(memory.slot[0].gpa, 0);
	assert_int_equal(memory.slot[1].gpa, 2 * MIB);
	assert_int_equal(memory.slot[2].gpa, 16 * MIB);
	assert_int_equal(memory.total, 4 * MIB);
	assert_int_equal(guest_memory_insert(&memory, 3 * MIB - PAGE_SIZE, PAGE_SIZE, true), ERR_EXISTS);
	assert_int_equal(guest_memory_insert(&memory, 15 * MIB, 3 * MIB, true), ERR_EXISTS);
	assert_int_equal(guest_memory_insert(&memory, 4 * MIB, 0, true), ERR_INVALID);
	assert_int_equal(guest_memory_insert(&memory, 4 * MIB + 1, PAGE_SIZE, true), ERR_INVALID);
	assert_int_equal(guest_memory_insert(&memory, 4 * MIB, PAGE_SIZE + 1, true), ERR_INVALID);
	assert_int_equal(guest_memory_insert(&memory, GUEST_MEMORY_LIMIT, PAGE_SIZE, true), ERR_INVALID);
	assert_int_equal(guest_memory_insert(&memory, GUEST_MEMORY_LIMIT - PAGE_SIZE, 2 * PAGE_SIZE, true),
			 ERR_INVALID);
	assert_int_equal(guest_memory_insert(&memory, PAGE_SIZE, ~0ull - PAGE_SIZE + 1, true), ERR_INVALID);
	assert_int_equal(guest_memory_insert(&memory, GUEST_MEMORY_LIMIT - PAGE_SIZE, PAGE_SIZE, true), OK);
	assert_int_equal(memory.total, 4 * MIB + PAGE_SIZE);
}

static void test_table_full(void **state)
{
	struct guest_memory memory = {.count = 0};

	(void)state;
	for (u32 i = 0; i < GUEST_MEMORY_SLOTS; i++)
		assert_int_equal(guest_memory_insert(&memory, 2 * i * PAGE_SIZE, PAGE_SIZE, true), OK);
	assert_int_equal(guest_memory_insert(&memory, MIB, PAGE_SIZE, true), ERR_MEMORY);
}

static void test_check(void **state)
{
	struct guest_memory memory = example(), none = {.count = 0};

	(void)state;
	assert_int_equal(guest_memory_check(&memory, 0, 1, true), OK);
	assert_int_equal(guest_memory_check(&memory, 2 * MIB - 1, 1, true), OK);
	assert_int_equal(guest_memory_check(&memory, 2 * MIB - 1, 2, false), OK);
	assert_int_equal(guest_memory_check(&memory, 2 * MIB - 1, 2, true), ERR_DENIED);
	assert_int_equal(guest_memory_check(&memory, 0, 3 * MIB, false), OK);
	assert_int_equal(guest_memory_check(&memory, 0, 3 * MIB + 1, false), ERR_RANGE);
	/* Outside counts more than not writable. */
	assert_int_equal(guest_memory_check(&memory, 0, 3 * MIB + 1, true), ERR_RANGE);
	assert_int_equal(guest_memory_check(&memory, 3 * MIB, 1, false), ERR_RANGE);
	assert_int_equal(guest_memory_check(&memory, 16 * MIB - 1, 2, false), ERR_RANGE);
	assert_int_equal(guest_memory_check(&memory, 17 * MIB - 1, 1, true), OK);
	assert_int_equal(guest_memory_check(&memory, 17 * MIB, 1, true), ERR_RANGE);
	assert_int_equal(guest_memory_check(&none, 0, 1, false), ERR_RANGE);
	assert_int_equal(guest_memory_check(&none, 5, 0, false), OK);
}

static void test_check_does_not_wrap(void **state)
{
	struct guest_memory memory = example();

	(void)state;
	assert_int_equal(guest_memory_check(&memory, ~0ull, 2, false), ERR_RANGE);
	assert_int_equal(guest_memory_check(&memory, 1, ~0ull, false), ERR_RANGE);
	assert_int_equal(guest_memory_check(&memory, MIB, 0 - MIB, false), ERR_RANGE);
	assert_int_equal(guest_memory_check(&memory, 16 * MIB, ~0ull - 16 * MIB + 2, false), ERR_RANGE);
}

static void test_placement(void **state)
{
	struct guest_memory memory = example();
	struct placement placement;

	(void)state;
	placement_init(&placement, &memory);
	assert_int_equal(placement_take(&placement, 0x100000, 0x1800), OK);
	assert_int_equal(placement_take(&placement, 0x1017ff, 1), ERR_EXISTS);
	assert_int_equal(placement_take(&placement, 0xb8000, 1), ERR_EXISTS);
	assert_int_equal(placement_take(&placement, 0x500, 1), ERR_EXISTS);
	assert_int_equal(placement_take(&placement, 4 * MIB, 1), ERR_RANGE);
	assert_int_equal(placement_take(&placement, 2 * MIB, 1), ERR_RANGE); /* not writable */
	assert_int_equal(placement_take(&placement, 4 * MIB, 0), OK);
	assert_int_equal(placement_end(&placement), 0x101800);
	assert_int_equal(placement_find(&placement, 0, PAGE_SIZE, 0, GIB), 0x1000);
	assert_int_equal(placement_find(&placement, 0x1000, PAGE_SIZE, 0x10000, GIB), 0x10000);
	assert_int_equal(placement_find(&placement, 0x1000, PAGE_SIZE, 0x10000, GIB), 0x11000);
	assert_int_equal(placement_find(&placement, 0x8e000, PAGE_SIZE, 0x10000, GIB),
			 0x102000); /* not over the legacy area */
	assert_int_equal(placement_find(&placement, MIB, PAGE_SIZE, MIB, GIB),
			 16 * MIB); /* not over the read-only slot */
	assert_int_equal(placement_find(&placement, MIB, PAGE_SIZE, MIB, GIB), 0);
	assert_int_equal(placement_find(&placement, PAGE_SIZE, PAGE_SIZE, 0x190000, 0x190fff), 0); /* ends too early */
	assert_int_equal(placement_find(&placement, PAGE_SIZE, PAGE_SIZE, 0x190000, 0x191000), 0x190000);
	assert_int_equal(placement_find(&placement, ~0ull, PAGE_SIZE, 0, ~0ull), 0);
}

static void test_e820(void **state)
{
	struct guest_memory memory = example();
	struct e820_entry entry[E820_MAX];

	(void)state;
	assert_int_equal(e820_build(&memory, entry), 4);
	assert_true(entry[0].start == 0 && entry[0].size == 0x9fc00 && entry[0].type == E820_RAM);
	assert_true(entry[1].start == 0x9fc00 && entry[1].size == 0x60400 && entry[1].type == E820_RESERVED);
	assert_true(entry[2].start == MIB && entry[2].size == 2 * MIB && entry[2].type == E820_RAM);
	assert_true(entry[3].start == 16 * MIB && entry[3].size == MIB && entry[3].type == E820_RAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insert),	cmocka_unit_test(test_table_full),
		cmocka_unit_test(test_check),	cmocka_unit_test(test_check_does_not_wrap),
		cmocka_unit_test(test_placement), cmocka_unit_test(test_e820),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
