// sources: core/memory_map.c
/* Firmware's memory map: types, overlaps, holes, descriptors that lie, maps larger than the table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory_map.h"

#define WB	     BIT(3)
#define CONVENTIONAL 7
#define RUNTIME_DATA 6
#define ACPI_RECLAIM 9
#define MMIO	     11

struct descriptor {
	u32 type, padding;
	u64 start, virtual_start, pages, attribute;
};

static struct memory_map map;

static int read_map(const struct descriptor *list, u32 count)
{
	return memory_map_read(&map, list, count * sizeof(*list), sizeof(*list));
}

static void expect(u32 i, paddr_t start, paddr_t end, enum memory_type type)
{
	assert_true(i < map.count);
	assert_int_equal(map.region[i].start, start);
	assert_int_equal(map.region[i].end, end);
	assert_int_equal(map.region[i].type, type);
}

/* What holds of every map, whatever firmware said. */
static void check_sound(void)
{
	assert_true(map.count <= MEMORY_MAX_REGIONS);
	for (u32 i = 0; i < map.count; i++) {
		assert_true(map.region[i].start < map.region[i].end && map.region[i].end <= BIT(52));
		assert_int_equal((map.region[i].start | map.region[i].end) % PAGE_SIZE, 0);
		assert_true(i == 0 || map.region[i - 1].end <= map.region[i].start);
	}
}

static void test_types(void **state)
{
	static const struct {
		u32 efi;
		u64 attribute;
		enum memory_type type;
	} cases[] = {
		{0, WB, MEMORY_RESERVED},
		{1, WB, MEMORY_USABLE},
		{2, WB, MEMORY_USABLE},
		{3, WB, MEMORY_USABLE},
		{4, WB, MEMORY_USABLE},
		{5, WB, MEMORY_RUNTIME_CODE},
		{6, WB, MEMORY_RUNTIME_DATA},
		{7, 0xf, MEMORY_USABLE},
		{8, WB, MEMORY_RESERVED},
		{9, WB, MEMORY_ACPI_RECLAIM},
		{10, WB, MEMORY_RESERVED},
		{11, 1, MEMORY_MMIO},
		{12, 1, MEMORY_MMIO},
		{13, WB, MEMORY_RESERVED},
		{14, WB, MEMORY_RESERVED},
		{15, WB, MEMORY_RESERVED},
		{16, WB, MEMORY_RESERVED},
		{0x80000000, WB, MEMORY_RESERVED},
		{7, 1, MEMORY_RESERVED},
		{9, 1, MEMORY_RESERVED},
		{7, WB | BIT(18), MEMORY_RESERVED},
		{7, WB | BIT(63), MEMORY_RUNTIME_DATA},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct descriptor d = {cases[i].efi, 0, 16 * MIB, 0, 16, cases[i].attribute};

		assert_int_equal(read_map(&d, 1), OK);
		assert_int_equal(map.count, 1);
		expect(0, 16 * MIB, 16 * MIB + 65536, cases[i].type);
		assert_int_equal(memory_map_bytes(&map, cases[i].type), 65536);
	}
}

static void test_sorted_and_merged(void **state)
{
	static const struct descriptor list[] = {
		{CONVENTIONAL, 0, 0x300000, 0, 16, WB},
		{4, 0, 0x100000, 0, 16, WB},
		{2, 0, 0x110000, 0, 16, WB},
		{MMIO, 0, 0xfee00000, 0, 1, 1},
		{3, 0, 0x120000, 0, 0, WB},
		{CONVENTIONAL, 0, 4 * GIB, 0, 1, WB},
	};

	(void)state;
	assert_int_equal(read_map(list, ARRAY_SIZE(list)), OK);
	assert_int_equal(map.count, 4);
	expect(0, 0x100000, 0x120000, MEMORY_USABLE);
	expect(1, 0x300000, 0x310000, MEMORY_USABLE);
	expect(2, 0xfee00000, 0xfee01000, MEMORY_MMIO);
	expect(3, 4 * GIB, 4 * GIB + 4096, MEMORY_USABLE);
	assert_int_equal(map.dropped, 0);
}

static void test_overlaps(void **state)
{
	/* In either order the more restrictive type wins. */
	static const struct descriptor list[] = {
		{RUNTIME_DATA, 0, 0x200000, 0, 16, WB},
		{CONVENTIONAL, 0, 0x100000, 0, 0x300, WB},
		{0, 0, 0x208000, 0, 16, WB},
		{ACPI_RECLAIM, 0, 0x3f0000, 0, 32, WB},
		{CONVENTIONAL, 0, 0x100000, 0, 0x10, WB},
	};

	(void)state;
	assert_int_equal(read_map(list, ARRAY_SIZE(list)), OK);
	assert_int_equal(map.count, 5);
	expect(0, 0x100000, 0x200000, MEMORY_USABLE);
	expect(1, 0x200000, 0x208000, MEMORY_RUNTIME_DATA);
	expect(2, 0x208000, 0x218000, MEMORY_RESERVED);
	expect(3, 0x218000, 0x3f0000, MEMORY_USABLE);
	expect(4, 0x3f0000, 0x410000, MEMORY_ACPI_RECLAIM);
}

static void test_bad_descriptors(void **state)
{
	static const struct descriptor list[] = {
		{CONVENTIONAL, 0, BIT(52) - 4096, 0, 2, WB},
		{CONVENTIONAL, 0, BIT(52), 0, 1, WB},
		{CONVENTIONAL, 0, 4096, 0, ~0ull, WB},
		{0, 0, ~0ull - 4095, 0, 1, WB},
		{CONVENTIONAL, 0, 0x100000, 0, 0x10000000000000ull, WB},
		{CONVENTIONAL, 0, BIT(52) - 4096, 0, 1, WB},
	};
	u8 bytes[sizeof(struct descriptor)] = {0};

	(void)state;
	assert_int_equal(read_map(list, ARRAY_SIZE(list)), OK);
	assert_int_equal(map.count, 1);
	assert_int_equal(map.dropped, 5);
	expect(0, BIT(52) - 4096, BIT(52), MEMORY_USABLE);
	assert_int_equal(memory_map_read(&map, bytes, sizeof(bytes), sizeof(bytes) - 1), ERR_FORMAT);
	assert_int_equal(memory_map_read(&map, bytes, sizeof(bytes) - 1, sizeof(bytes)), ERR_FORMAT);
	assert_int_equal(memory_map_read(&map, bytes, 0, 0), ERR_FORMAT);
	assert_int_equal(memory_map_read(&map, bytes, 0, sizeof(bytes)), OK);
	assert_int_equal(map.count, 0);
}

/* Descriptors longer than ours, at an odd address. */
static void test_descriptor_size(void **state)
{
	u8 *bytes = malloc(2 * 56 + 1);
	struct descriptor d = {CONVENTIONAL, 0, 0x100000, 0, 1, WB};

	(void)state;
	memset(bytes, 0xff, 2 * 56 + 1);
	memcpy(bytes + 1, &d, sizeof(d));
	d.start = 0x200000;
	memcpy(bytes + 1 + 56, &d, sizeof(d));
	assert_int_equal(memory_map_read(&map, bytes + 1, 112, 56), OK);
	assert_int_equal(map.count, 2);
	expect(1, 0x200000, 0x201000, MEMORY_USABLE);
	free(bytes);
}

static void test_unaligned(void **state)
{
	static const struct descriptor list[] = {
		{CONVENTIONAL, 0, 0x100800, 0, 4, WB},
		{RUNTIME_DATA, 0, 0x200800, 0, 4, WB},
		{CONVENTIONAL, 0, 0x300800, 0, 1, WB},
		{RUNTIME_DATA, 0, 0x400800, 0, 0, WB},
	};

	(void)state;
	assert_int_equal(read_map(list, ARRAY_SIZE(list)), OK);
	assert_int_equal(map.count, 2);
	expect(0, 0x101000, 0x104000, MEMORY_USABLE);
	expect(1, 0x200000, 0x205000, MEMORY_RUNTIME_DATA);
}

static void test_first_page(void **state)
{
	static const struct descriptor d = {CONVENTIONAL, 0, 0, 0, 0xa0, WB};

	(void)state;
	assert_int_equal(read_map(&d, 1), OK);
	assert_int_equal(map.count, 2);
	expect(0, 0, 0x1000, MEMORY_RESERVED);
	expect(1, 0x1000, 0xa0000, MEMORY_USABLE);
}

static void test_reserve(void **state)
{
	static const struct descriptor list[] = {
		{CONVENTIONAL, 0, 0x100000, 0, 0x100, WB},
		{MMIO, 0, 0x200000, 0, 0x10, 1},
		{ACPI_RECLAIM, 0, 0x210000, 0, 0x10, WB},
		{CONVENTIONAL, 0, 0x300000, 0, 0x100, WB},
	};

	(void)state;
	assert_int_equal(read_map(list, ARRAY_SIZE(list)), OK);
	assert_int_equal(memory_map_reserve(&map, 0x1ff001, 0x300fff), OK);
	assert_int_equal(map.count, 6);
	expect(0, 0x100000, 0x1ff000, MEMORY_USABLE);
	expect(1, 0x1ff000, 0x200000, MEMORY_RESERVED);
	expect(2, 0x200000, 0x210000, MEMORY_MMIO);
	expect(3, 0x210000, 0x220000, MEMORY_RESERVED);
	expect(4, 0x300000, 0x301000, MEMORY_RESERVED);
	expect(5, 0x301000, 0x400000, MEMORY_USABLE);
	assert_int_equal(memory_map_bytes(&map, MEMORY_USABLE), 0xff000 + 0xff000);
	assert_int_equal(memory_map_reserve(&map, 4096, 4096), ERR_INVALID);
	assert_int_equal(memory_map_reserve(&map, 8192, 4096), ERR_INVALID);
	assert_int_equal(memory_map_reserve(&map, 0, ~0ull), ERR_INVALID);
	assert_int_equal(memory_map_reserve(&map, 0, BIT(52)), OK);
	assert_int_equal(memory_map_bytes(&map, MEMORY_USABLE), 0);
	assert_int_equal(memory_map_bytes(&map, MEMORY_MMIO), 0x10000);
}

/*
 * More than fits: the smallest usable regions are lost, nothing restrictive is, and what is restrictive is never
 * usable.
 */
static void test_too_many(void **state)
{
	u32 count = MEMORY_MAX_REGIONS + 100;
	struct descriptor *list = calloc(count + 2, sizeof(*list));
	bool found = false;

	(void)state;
	for (u32 i = 0; i < count; i++)
		list[i] = (struct descriptor){CONVENTIONAL, 0, (i + 1) * 16 * MIB, 0, i + 1, WB};
	list[count] = (struct descriptor){RUNTIME_DATA, 0, 15 * GIB, 0, 1, WB};
	list[count + 1] = (struct descriptor){MMIO, 0, 300 * 16 * MIB + 4096, 0, 1, 1};
	assert_int_equal(read_map(list, count + 2), OK);
	check_sound();
	assert_int_equal(map.count, MEMORY_MAX_REGIONS);
	assert_true(map.dropped >= 102);
	assert_int_equal(memory_map_bytes(&map, MEMORY_RUNTIME_DATA), 4096);
	assert_int_equal(memory_map_bytes(&map, MEMORY_MMIO), 4096);
	for (u32 i = 0; i < map.count; i++) {
		if (map.region[i].type == MEMORY_USABLE) {
			assert_true(map.region[i].end <= 300 * 16 * MIB + 4096 ||
				    map.region[i].start >= 300 * 16 * MIB + 8192);
			assert_true(map.region[i].start > 100 * 16 * MIB);
		}
	}
	/* cut in the middle where there is no room: the larger half stays */
	assert_int_equal(memory_map_reserve(&map, 400 * 16 * MIB + 8192, 400 * 16 * MIB + 12288), OK);
	check_sound();
	for (u32 i = 0; i < map.count; i++) {
		if (map.region[i].type == MEMORY_USABLE && map.region[i].end > 400 * 16 * MIB &&
		    map.region[i].start < 401 * 16 * MIB) {
			assert_int_equal(map.region[i].start, 400 * 16 * MIB + 12288);
			found = true;
		}
	}
	assert_true(found);
	free(list);
}

/* A table full of what is not usable: nothing can be thrown out for more of it. */
static void test_full_of_reserved(void **state)
{
	u32 count = MEMORY_MAX_REGIONS + 10;
	struct descriptor *list = calloc(count, sizeof(*list));

	(void)state;
	for (u32 i = 0; i < count; i++)
		list[i] = (struct descriptor){0, 0, (i + 1) * MIB, 0, 1, WB};
	assert_int_equal(read_map(list, count), OK);
	check_sound();
	assert_int_equal(map.count, MEMORY_MAX_REGIONS);
	assert_int_equal(map.dropped, 10);
	free(list);
}

/* Random overlapping maps against an array of pages. */
static void test_model(void **state)
{
	static const u32 efi_types[] = {CONVENTIONAL, ACPI_RECLAIM, 5, RUNTIME_DATA, MMIO, 0};
	u8 page_type[256];

	(void)state;
	srand(3);
	for (u32 round = 0; round < 2000; round++) {
		struct descriptor list[24];
		u32 count = 1 + (u32)rand() % 24;

		memset(page_type, 0xff, sizeof(page_type));
		for (u32 i = 0; i < count; i++) {
			u32 kind = (u32)rand() % 6, start = 1 + (u32)rand() % 255, pages = (u32)rand() % 40;

			pages = MIN(pages, 256 - start);
			list[i] = (struct descriptor){efi_types[kind], 0, start * PAGE_SIZE, 0, pages, WB};
			for (u32 page = start; page < start + pages; page++) {
				if (page_type[page] == 0xff || page_type[page] < kind)
					page_type[page] = (u8)kind;
			}
		}
		assert_int_equal(read_map(list, count), OK);
		check_sound();
		for (u32 i = 0; i < map.count; i++) {
			assert_true(i == 0 || map.region[i - 1].end != map.region[i].start ||
				    map.region[i - 1].type != map.region[i].type);
			for (u64 page = map.region[i].start / PAGE_SIZE; page < map.region[i].end / PAGE_SIZE; page++) {
				assert_int_equal(page_type[page], map.region[i].type);
				page_type[page] = 0xff;
			}
		}
		for (u32 page = 0; page < 256; page++)
			assert_int_equal(page_type[page], 0xff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),		cmocka_unit_test(test_sorted_and_merged),
		cmocka_unit_test(test_overlaps),	cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_descriptor_size), cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_first_page),	cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_too_many),	cmocka_unit_test(test_full_of_reserved),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
