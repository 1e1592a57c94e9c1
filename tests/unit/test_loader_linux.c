// sources: vmm/loader_linux.c vmm/loader_parts.c vmm/elf.c vmm/placement.c vmm/e820.c vmm/guest_memory_map.c lib/fmt.c lib/error.c tests/unit/fake_pool.c tests/unit/fake_ram.c
/*
 * The Linux boot protocol into a VM whose RAM is an array here: images made field by field, so that each can be wrong
 * alone.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/cpu/regs.h"
#include "tests/unit/fake_ram.h"
#include "vmm/loader.h"

#define RAM	  (8 * MIB)
#define SECTORS	  2u
#define KERNEL_AT ((SECTORS + 1) * 512u)
#define CODE_SIZE 4096u
#define PREFERRED 0x200000u

static struct vcpu_state vcpu;
static char message[256];
static u8 file[KERNEL_AT + CODE_SIZE];

/* A field of the setup header by its offset in the file, as boot.rst tells it. */
static void put(u32 offset, u64 value, u32 size)
{
	memcpy(file + offset, &value, size);
}

static u64 get(gpa_t gpa, u32 size)
{
	u64 value = 0;

	memcpy(&value, ram + gpa, size);
	return value;
}

static int setup(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	memset(file + KERNEL_AT, 0x90, CODE_SIZE);
	put(0x1f1, SECTORS, 1);
	put(0x1f4, CODE_SIZE / 16, 4); /* syssize */
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x6aeb, 2); /* jmp: the header ends at 0x202 + 0x6a */
	put(0x202, 0x53726448, 4);
	put(0x206, 0x20f, 2);
	put(0x211, 1, 1); /* LOADED_HIGH */
	put(0x22c, 0x7fffffff, 4); /* initrd_addr_max */
	put(0x230, 0x200000, 4); /* kernel_alignment */
	put(0x234, 1, 1); /* relocatable */
	put(0x236, 1, 2); /* XLF_KERNEL_64 */
	put(0x238, 100, 4); /* cmdline_size */
	put(0x258, PREFERRED, 8);
	put(0x260, 0x100000, 4); /* init_size */
	return fake_ram_make(RAM);
}

static int teardown(void **state)
{
	(void)state;
	fake_ram_free();
	return 0;
}

static struct loader_input input_of(const char *extra)
{
	struct loader_input input = {
		.vm = vm,
		.kernel = {.name = "vmlinuz", .arguments = "", .bytes = file, .size = sizeof(file)},
		.extra = extra,
		.rsdp = 0xe0000,
		.message = message,
		.message_size = sizeof(message),
	};

	return input;
}

static int load(const char *extra)
{
	struct loader_input input = input_of(extra);

	memset(&vcpu, 0, sizeof(vcpu));
	message[0] = 0;
	return loader_linux.load(&input, &vcpu);
}

static void refused(int error, const char *field)
{
	assert_int_equal(load(""), error);
	if (!strstr(message, field))
		fail_msg("\"%s\" does not name %s", message, field);
}

static void test_recognize(void **state)
{
	struct loader_input input = input_of("");

	(void)state;
	assert_true(loader_linux.recognize(&input.kernel));
	put(0x202, 0, 4);
	assert_false(loader_linux.recognize(&input.kernel));
	put(0x202, 0x53726448, 4);
	put(0x1fe, 0, 2);
	assert_false(loader_linux.recognize(&input.kernel));
	input.kernel.size = 0x200;
	assert_false(loader_linux.recognize(&input.kernel));
}

static void test_64(void **state)
{
	gpa_t zero_page;

	(void)state;
	assert_int_equal(load("console=ttyS0"), OK);
	assert_int_equal(vcpu.reg[REG_RIP], PREFERRED + 0x200);
	assert_true(vcpu.reg[REG_CR0] & CR0_PG && vcpu.reg[REG_CR0] & CR0_PE);
	assert_int_equal(vcpu.reg[REG_EFER], EFER_LME | EFER_LMA);
	assert_true(vcpu.segment[SEG_CS].attributes & SEGMENT_L);
	assert_false(vcpu.segment[SEG_CS].attributes & SEGMENT_DB);
	assert_int_equal(vcpu.segment[SEG_CS].selector, 0x10);
	assert_int_equal(vcpu.segment[SEG_DS].selector, 0x18);
	assert_memory_equal(ram + PREFERRED, file + KERNEL_AT, CODE_SIZE);
	assert_int_equal(get(PREFERRED + CODE_SIZE, 1), FAKE_RAM_POISON);
	zero_page = vcpu.reg[REG_RSI];
	assert_int_equal(get(zero_page + 0x1fe, 2), 0xaa55);
	assert_int_equal(get(zero_page + 0x210, 1), 0xff); /* type_of_loader */
	assert_int_equal(get(zero_page + 0x70, 8), 0xe0000);
	assert_string_equal(ram + get(zero_page + 0x228, 4), "console=ttyS0");
	/* 0 to the legacy area, that, and all above. */
	assert_int_equal(get(zero_page + 0x1e8, 1), 3);
	assert_int_equal(get(zero_page + 0x2d0, 8), 0);
	assert_int_equal(get(zero_page + 0x2d0 + 40, 8), MIB);
	assert_int_equal(get(zero_page + 0x2d0 + 48, 8), RAM - MIB);
	/* What the header does not reach is not copied: the file's code stands there. */
	assert_int_equal(get(zero_page + 0x26c, 4), 0);
}

/* Walk the tables: every address below 4 GiB is mapped to itself by a large page. */
static void test_identity_map(void **state)
{
	static const u64 at[] = {0, PREFERRED, GIB - 1, GIB, 3 * GIB + 0x123456, 4 * GIB - 1};

	(void)state;
	assert_int_equal(load(""), OK);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		u64 top = get(vcpu.reg[REG_CR3] + 8 * (at[i] >> 39), 8);
		u64 pointer = get((top & ~0xfffull) + 8 * (at[i] >> 30 & 511), 8);
		u64 entry = get((pointer & ~0xfffull) + 8 * (at[i] >> 21 & 511), 8);

		assert_int_equal(top & 3, 3);
		assert_int_equal(pointer & 0x83, 3);
		assert_int_equal(entry & 0x83, 0x83);
		assert_int_equal((entry & ~0x1fffffull) | (at[i] & 0x1fffff), at[i]);
	}
	assert_int_equal(get(vcpu.reg[REG_CR3] + 8, 8), 0);
	assert_int_equal(get(vcpu.gdtr.base + 0x10, 8), 0x00af9b000000ffff);
	assert_int_equal(get(vcpu.gdtr.base + 0x18, 8), 0x00cf93000000ffff);
}

static void test_32(void **state)
{
	(void)state;
	put(0x236, 0, 2);
	assert_int_equal(load(""), OK);
	assert_int_equal(vcpu.reg[REG_RIP], PREFERRED);
	assert_false(vcpu.reg[REG_CR0] & CR0_PG);
	assert_true(vcpu.segment[SEG_CS].attributes & SEGMENT_DB);
	assert_int_equal(get(vcpu.gdtr.base + 0x10, 8), 0x00cf9b000000ffff);
	assert_int_equal(vcpu.reg[REG_RBX] | vcpu.reg[REG_RBP] | vcpu.reg[REG_RDI], 0);
}

/* The RAM does not reach the preferred address: a relocatable kernel goes lower, another one is refused. */
static void test_moved(void **state)
{
	(void)state;
	put(0x258, 0x1000000, 8);
	assert_int_equal(load(""), OK);
	assert_int_equal(vcpu.reg[REG_RIP], 0x200200);
	put(0x234, 0, 1);
	refused(ERR_MEMORY, "init_size");
	put(0x234, 1, 1);
	put(0x230, 3, 4);
	refused(ERR_FORMAT, "kernel_alignment");
}

static void test_initrds(void **state)
{
	struct loader_input input = input_of("");
	gpa_t zero_page, at;

	(void)state;
	input.module_count = 2;
	input.module[0] = (struct loader_file){.name = "a", .arguments = "", .bytes = "12345", .size = 5};
	input.module[1] = (struct loader_file){.name = "b", .arguments = "", .bytes = "678", .size = 3};
	assert_int_equal(loader_linux.load(&input, &vcpu), OK);
	zero_page = vcpu.reg[REG_RSI];
	at = get(zero_page + 0x218, 4);
	assert_true(at >= PREFERRED + 0x100000);
	assert_int_equal(get(zero_page + 0x21c, 4), 11);
	assert_memory_equal(ram + at, "12345", 5);
	assert_memory_equal(ram + at + 8, "678", 3);
	put(0x22c, 0x2fffff, 4);
	assert_int_equal(loader_linux.load(&input, &vcpu), ERR_MEMORY);
	assert_non_null(strstr(message, "initrd_addr_max"));
}

static void test_refused(void **state)
{
	(void)state;
	put(0x206, 0x202, 2);
	refused(ERR_UNSUPPORTED, "version");
	put(0x206, 0x20f, 2);
	put(0x211, 0, 1);
	refused(ERR_UNSUPPORTED, "loadflags");
	put(0x211, 1, 1);
	put(0x1f1, 200, 1);
	refused(ERR_FORMAT, "setup_sects");
	put(0x1f1, SECTORS, 1);
	put(0x1f4, CODE_SIZE / 16 + 2, 4);
	refused(ERR_FORMAT, "syssize");
	put(0x1f4, CODE_SIZE / 16, 4);
	put(0x238, 3, 4);
	assert_int_equal(load("more than three"), ERR_RANGE);
	assert_non_null(strstr(message, "cmdline_size"));
	put(0x238, 100, 4);
	put(0x260, 0xffffffff, 4);
	refused(ERR_MEMORY, "init_size");
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(test_recognize), ONE(test_64),	ONE(test_identity_map), ONE(test_32),
		ONE(test_moved),     ONE(test_initrds), ONE(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
