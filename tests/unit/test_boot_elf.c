// sources: boot/elf.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "boot/elf.h"

#define LOWEST	  0xffffffff80000000ull
#define FILE_SIZE 0x2000u

/* Offsets of the ELF64 header's and program header's fields (System V ABI "ELF Header", "Program Header"). */
#define TYPE	16
#define MACHINE 18
#define ENTRY	24
#define PHOFF	32
#define PHSIZE	54
#define PHCOUNT 56
#define PH(n)	(64 + 56 * (n))
#define P_TYPE	0
#define P_FLAGS 4
#define P_OFFSET 8
#define P_VA	16
#define P_FILE	32
#define P_MEM	40

static u8 *file;

static void put(u32 at, u64 value, u32 size)
{
	memcpy(file + at, &value, size);
}

static void put_segment(u32 n, u32 flags, u64 offset, u64 va, u64 file_size, u64 memory_size)
{
	put(PH(n) + P_TYPE, 1, 4);
	put(PH(n) + P_FLAGS, flags, 4);
	put(PH(n) + P_OFFSET, offset, 8);
	put(PH(n) + P_VA, va, 8);
	put(PH(n) + P_FILE, file_size, 8);
	put(PH(n) + P_MEM, memory_size, 8);
}

/*
 * A file as our linker makes it: code, data with a zeroed tail, a stack header. On the heap, so that ASan sees its end.
 */
static int setup(void **state)
{
	(void)state;
	file = calloc(1, FILE_SIZE);
	memcpy(file, "\177ELF\2\1\1", 7);
	put(TYPE, 2, 2);
	put(MACHINE, 62, 2);
	put(20, 1, 4);
	put(ENTRY, LOWEST + 0x10, 8);
	put(PHOFF, 64, 8);
	put(PHSIZE, 56, 2);
	put(PHCOUNT, 3, 2);
	put_segment(0, 5, 0x1000, LOWEST, 0x800, 0x800);
	put_segment(1, 6, 0x1800, LOWEST + 0x1000, 0x100, 0x2345);
	put(PH(2) + P_TYPE, 0x6474e551, 4); /* PT_GNU_STACK */
	memset(file + 0x1000, 0xcc, 0x800);
	memset(file + 0x1800, 0xdd, 0x100);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(file);
	return 0;
}

static int parse(struct elf_image *image, const char **why)
{
	*why = NULL;
	return elf_parse(image, file, FILE_SIZE, LOWEST, why);
}

static void good_file_is_placed(void **state)
{
	struct elf_image image;
	const char *why;
	u8 *memory;

	(void)state;
	assert_int_equal(parse(&image, &why), OK);
	assert_int_equal(image.base, LOWEST);
	assert_int_equal(image.size, 0x4000);
	assert_int_equal(image.entry, LOWEST + 0x10);
	assert_int_equal(image.count, 2);
	memory = malloc(image.size);
	memset(memory, 0x55, image.size);
	elf_place(&image, file, memory);
	assert_int_equal(memory[0x7ff], 0xcc);
	assert_int_equal(memory[0x800], 0);
	assert_int_equal(memory[0x10ff], 0xdd);
	for (u32 i = 0x1100; i < image.size; i++)
		assert_int_equal(memory[i], 0);
	free(memory);
}

struct damage {
	u32 at, size;
	u64 value;
	const char *why; /* how the refusal begins */
};

static const struct damage damages[] = {
	{0, 1, 0, "is not an ELF file"},
	{4, 1, 1, "is not a 64-bit"},
	{5, 1, 2, "is not a 64-bit"},
	{TYPE, 2, 3, "is not a static"},
	{MACHINE, 2, 3, "is not a static"},
	{PHSIZE, 2, 32, "has no program headers"},
	{PHCOUNT, 2, 0, "has no program headers"},
	{PHCOUNT, 2, 0xffff, "ends before its program headers"},
	{PHOFF, 8, ~0ull, "ends before its program headers"},
	{PHOFF, 8, FILE_SIZE - 100, "ends before its program headers"},
	{PH(0) + P_OFFSET, 8, ~0ull, "ends before a segment"},
	{PH(0) + P_FILE, 8, ~0ull, "ends before a segment"},
	{PH(1) + P_FILE, 8, 0x801, "ends before a segment"},
	{PH(0) + P_MEM, 8, 0x7ff, "has a segment that is larger"},
	{PH(1) + P_MEM, 8, ELF_MAX_IMAGE + 1, "has a segment of more"},
	{PH(1) + P_MEM, 8, ELF_MAX_IMAGE, "spans more"},
	{PH(0) + P_VA, 8, LOWEST - 1, "has a segment outside"},
	{PH(1) + P_VA, 8, ~0ull - 0x1000, "has a segment outside"},
	{PH(1) + P_VA, 8, LOWEST + 0x7ff, "has segments that overlap"},
	{PH(1) + P_VA, 8, LOWEST + ELF_MAX_IMAGE, "spans more"},
	{PH(2) + P_TYPE, 4, 2, "is dynamically"},
	{PH(2) + P_TYPE, 4, 3, "is dynamically"},
	{ENTRY, 8, LOWEST + 0x800, "has no entry"},
	{ENTRY, 8, LOWEST + 0x1000, "has no entry"}, /* not executable */
	{ENTRY, 8, 0, "has no entry"},
	{PH(0) + P_FLAGS, 4, 4, "has no entry"},
};

static void damaged_files_are_refused(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *d = &damages[i];
		struct elf_image image;
		const char *why;

		teardown(NULL);
		setup(NULL);
		put(d->at, d->value, d->size);
		if (parse(&image, &why) != ERR_FORMAT || strncmp(why, d->why, strlen(d->why)) != 0)
			fail_msg("damage %u: wanted \"%s\", got \"%s\"", i, d->why, why ? why : "no error");
	}
}

static void short_files_are_refused(void **state)
{
	(void)state;
	for (u32 size = 0; size < 0x1900; size += size < 300 ? 1 : 64) {
		struct elf_image image;
		const char *why;
		u8 *cut = malloc(size ? size : 1);

		memcpy(cut, file, size);
		assert_int_equal(elf_parse(&image, cut, size, LOWEST, &why), ERR_FORMAT);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_file_is_placed, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_files_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(short_files_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
