// sources: vmm/elf.c lib/fmt.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "vmm/elf.h"

static struct elf elf;
static char message[160];

/* Two segments and a note, in the layout that libc's <elf.h> defines. */
struct file64 {
	Elf64_Ehdr header;
	Elf64_Phdr program[3];
	struct {
		Elf64_Nhdr header;
		char name[4];
		u64 description;
	} note;
	u8 data[64];
};

struct file32 {
	Elf32_Ehdr header;
	Elf32_Phdr program[1];
	u8 data[16];
};

static struct file64 good64(void)
{
	struct file64 file = {
		.header = {.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_entry = 0xffffffff81000010,
			   .e_phoff = offsetof(struct file64, program),
			   .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3},
		.program = {{.p_type = PT_LOAD, .p_offset = offsetof(struct file64, data),
			     .p_vaddr = 0xffffffff82000000, .p_paddr = 0x2000000, .p_filesz = 32, .p_memsz = 0x1000},
			    {.p_type = PT_LOAD, .p_offset = offsetof(struct file64, data) + 32,
			     .p_vaddr = 0xffffffff81000000, .p_paddr = 0x1000000, .p_filesz = 32, .p_memsz = 32},
			    {.p_type = PT_NOTE, .p_offset = offsetof(struct file64, note),
			     .p_filesz = sizeof(file.note), .p_align = 4}},
		.note = {.header = {.n_namesz = 4, .n_descsz = 8, .n_type = 18}, .name = "Xen",
			 .description = 0x1000010},
	};

	memcpy(file.header.e_ident, "\x7f" "ELF\x02\x01\x01", 7);
	return file;
}

static struct file32 good32(void)
{
	struct file32 file = {
		.header = {.e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1, .e_entry = 0x100000,
			   .e_phoff = offsetof(struct file32, program),
			   .e_ehsize = sizeof(Elf32_Ehdr), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1},
		.program = {{.p_type = PT_LOAD, .p_offset = offsetof(struct file32, data), .p_vaddr = 0x100000,
			     .p_paddr = 0x100000, .p_filesz = 16, .p_memsz = 0x40}},
	};

	memcpy(file.header.e_ident, "\x7f" "ELF\x01\x01\x01", 7);
	return file;
}

/* From memory of exactly that size. */
static int parse(const void *file, size_t size)
{
	static void *copy;
	
	free(copy);
	copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, file, size);
	message[0] = 0;
	return elf_parse(&elf, copy, size, message, sizeof(message));
}

static void test_good_64(void **state)
{
	struct file64 file = good64();
	u64 value;
	u32 size = 0;
	const void *note;

	(void)state;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	assert_true(elf.is_64);
	assert_int_equal(elf.segment_count, 2);
	assert_int_equal(elf.segment[0].pa, 0x1000000); /* sorted */
	assert_int_equal(elf.segment[1].pa, 0x2000000);
	assert_int_equal(elf.segment[1].memory_size, 0x1000);
	assert_int_equal(elf.entry_pa, 0x1000010);
	note = elf_find_note(&elf, "Xen", 18, &size);
	assert_non_null(note);
	assert_int_equal(size, 8);
	memcpy(&value, note, 8);
	assert_int_equal(value, 0x1000010);
	assert_null(elf_find_note(&elf, "Xen", 17, &size));
	assert_null(elf_find_note(&elf, "GNU", 18, &size));
}

static void test_good_32(void **state)
{
	struct file32 file = good32();

	(void)state;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	assert_false(elf.is_64);
	assert_int_equal(elf.segment_count, 1);
	assert_int_equal(elf.segment[0].file_size, 16);
	assert_int_equal(elf.entry_pa, 0x100000);
}

/* Change one field of a good file and expect its name in the message. */
#define BAD64(change, name)                                                \
	do {                                                               \
		struct file64 file = good64();                             \
		file.change;                                               \
		assert_int_not_equal(parse(&file, sizeof(file)), OK);      \
		if (!strstr(message, name))                                \
			fail_msg("no \"%s\" in \"%s\"", name, message);    \
	} while (0)

static void test_each_wrong_field_is_named(void **state)
{
	(void)state;
	BAD64(header.e_ident[0] = 0, "e_ident");
	BAD64(header.e_ident[4] = 3, "EI_CLASS");
	BAD64(header.e_ident[5] = 2, "EI_DATA");
	BAD64(header.e_ident[6] = 0, "EI_VERSION");
	BAD64(header.e_type = ET_DYN, "e_type");
	BAD64(header.e_machine = EM_386, "e_machine");
	BAD64(header.e_version = 2, "e_version");
	BAD64(header.e_ehsize = 52, "e_ehsize");
	BAD64(header.e_phentsize = 32, "e_phentsize");
	BAD64(header.e_phnum = 0, "e_phnum");
	BAD64(header.e_phnum = 0xffff, "e_phnum");
	BAD64(header.e_phoff = sizeof(struct file64) - 100, "e_phoff");
	BAD64(header.e_phoff = ~0ull - 10, "e_phoff");
	BAD64(program[0].p_offset = sizeof(struct file64) - 31, "p_offset");
	BAD64(program[0].p_offset = ~0ull, "p_offset");
	BAD64(program[0].p_filesz = ~0ull, "p_offset");
	BAD64(program[1].p_memsz = 31, "p_filesz");
	BAD64(program[0].p_paddr = ~0ull - 0xffe, "p_paddr");
	BAD64(program[0].p_paddr = 0x1000000, "overlaps");
	BAD64(program[0].p_paddr = 0x0fff001, "overlaps");
	BAD64(program[2].p_filesz = 1000, "p_offset");
}

static void test_32_bit_addresses_end_at_4_gib(void **state)
{
	struct file32 file = good32();

	(void)state;
	file.program[0].p_paddr = 0xffffffc0;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	file.program[0].p_paddr = 0xffffffc1;
	assert_int_not_equal(parse(&file, sizeof(file)), OK);
}

static void test_no_segments(void **state)
{
	struct file64 file = good64();

	(void)state;
	file.program[0].p_type = file.program[1].p_type = PT_NULL;
	assert_int_not_equal(parse(&file, sizeof(file)), OK);
	assert_non_null(strstr(message, "PT_LOAD"));
	file = good64();
	file.program[0].p_memsz = file.program[0].p_filesz = 0;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	assert_int_equal(elf.segment_count, 1);
}

static void test_every_truncation_is_refused(void **state)
{
	struct file64 wide = good64();
	struct file32 narrow = good32();

	(void)state;
	for (size_t size = 0; size < sizeof(wide); size++)
		assert_int_not_equal(parse(&wide, size), OK);
	for (size_t size = 0; size < sizeof(narrow); size++)
		assert_int_not_equal(parse(&narrow, size), OK);
}

static void test_broken_notes_are_not_found(void **state)
{
	struct file64 file = good64();
	u32 size;

	(void)state;
	file.note.header.n_descsz = 9;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	assert_null(elf_find_note(&elf, "Xen", 18, &size));
	file.note.header.n_descsz = 8;
	file.note.header.n_namesz = 0xffffffff;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	assert_null(elf_find_note(&elf, "Xen", 18, &size));
}

/* A note of another owner before it, with odd sizes: both paddings. */
static void test_note_padding(void **state)
{
	static const u32 aligns[] = {4, 8};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct file64 file = good64();
		u32 align = aligns[i], size = 0;
		u8 notes[64] = {0};
		Elf64_Nhdr first = {5, 3, 1}, second = {4, 4, 18};
		u32 at;

		memcpy(notes, &first, 12);
		memcpy(notes + 12, "GNUX", 5);
		at = ALIGN_UP(17u, align) + 3;
		at = ALIGN_UP(at, align);
		memcpy(notes + at, &second, 12);
		memcpy(notes + at + 12, "Xen", 4);
		memcpy(notes + ALIGN_UP(at + 16, align), "\x78\x56\x34\x12", 4);
		memcpy(file.data, notes, sizeof(notes));
		file.program[2].p_offset = offsetof(struct file64, data);
		file.program[2].p_filesz = sizeof(notes);
		file.program[2].p_align = align;
		assert_int_equal(parse(&file, sizeof(file)), OK);
		assert_memory_equal(elf_find_note(&elf, "Xen", 18, &size), "\x78\x56\x34\x12", 4);
		assert_int_equal(size, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_64),
		cmocka_unit_test(test_good_32),
		cmocka_unit_test(test_each_wrong_field_is_named),
		cmocka_unit_test(test_32_bit_addresses_end_at_4_gib),
		cmocka_unit_test(test_no_segments),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_broken_notes_are_not_found),
		cmocka_unit_test(test_note_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
