// sources: vmm/loader_linux.c vmm/loader_multiboot.c vmm/loader_pvh.c vmm/loader_parts.c vmm/loader.c vmm/elf.c vmm/placement.c vmm/e820.c vmm/guest_memory_map.c lib/fmt.c lib/error.c tests/unit/fake_pool.c tests/unit/fake_ram.c
/* Multiboot and PVH into a VM whose RAM is an array here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/fake_ram.h"
#include "vmm/loader.h"

#define RAM (4 * MIB)

static struct vcpu_state vcpu;
static char message[256];

static int setup(void **state)
{
	(void)state;
	return fake_ram_make(RAM);
}

static int teardown(void **state)
{
	(void)state;
	fake_ram_free();
	return 0;
}

/* A small kernel: multiboot header at 4096 in the file, 16 bytes of code after it, 64 bytes of memory more. */
struct kernel32 {
	Elf32_Ehdr elf;
	Elf32_Phdr program;
	u8 pad[4096 - sizeof(Elf32_Ehdr) - sizeof(Elf32_Phdr)];
	u32 header[8];
	u8 code[16];
};

static void seal(struct kernel32 *kernel)
{
	kernel->header[2] = 0 - kernel->header[0] - kernel->header[1];
}

static struct kernel32 kernel32(void)
{
	struct kernel32 kernel = {
		.elf = {.e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1, .e_entry = 0xc0100020,
			.e_phoff = sizeof(Elf32_Ehdr),
			.e_ehsize = sizeof(Elf32_Ehdr), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1},
		.program = {.p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = 0xc0100000, .p_paddr = 0x100000,
			    .p_filesz = 48, .p_memsz = 112},
		.header = {0x1badb002, 3},
		.code = "kernel code here",
	};

	memcpy(kernel.elf.e_ident, "\x7f" "ELF\x01\x01\x01", 7);
	seal(&kernel);
	return kernel;
}

static struct loader_input input_of(const void *bytes, u64 size)
{
	memset(&vcpu, 0, sizeof(vcpu));
	message[0] = 0;
	return (struct loader_input){.vm = vm,
				     .kernel = {.name = "hello.elf", .bytes = bytes, .size = size},
				     .extra = "a=1 b",
				     .message = message,
				     .message_size = sizeof(message)};
}

static const struct loader_ops *loader_of(const struct loader_file *kernel)
{
	for (u32 i = 0; loaders[i]; i++)
		if (loaders[i]->recognize(kernel))
			return loaders[i];
	return NULL;
}

static u32 get32(gpa_t gpa)
{
	u32 value;

	assert_true(gpa + 4 <= RAM);
	memcpy(&value, ram + gpa, 4);
	return value;
}

static u64 get64(gpa_t gpa)
{
	return get32(gpa) | (u64)get32(gpa + 4) << 32;
}

static const char *string_at(u64 gpa)
{
	assert_true(gpa && gpa < RAM);
	return (const char *)ram + gpa;
}

static void assert_flat_state(u64 entry)
{
	assert_int_equal(vcpu.reg[REG_RIP], entry);
	assert_int_equal(vcpu.reg[REG_CR0] & 0x80000001, 1);
	assert_int_equal(vcpu.reg[REG_CR4], 0);
	assert_int_equal(vcpu.reg[REG_RFLAGS], 2);
	for (u32 i = SEG_ES; i <= SEG_GS; i++) {
		assert_int_equal(vcpu.segment[i].base, 0);
		assert_int_equal(vcpu.segment[i].limit, 0xffffffff);
		assert_int_equal(vcpu.segment[i].attributes, i == SEG_CS ? 0xc09b : 0xc093);
	}
	assert_int_equal(vcpu.segment[SEG_TR].attributes, 0x8b);
	assert_int_equal(vcpu.segment[SEG_TR].limit, 0x67);
}

static void test_multiboot_elf(void **state)
{
	struct kernel32 kernel = kernel32();
	struct loader_input input = input_of(&kernel, sizeof(kernel));

	(void)state;
	assert_ptr_equal(loader_of(&input.kernel), &loader_multiboot);
	assert_int_equal(loader_multiboot.load(&input, &vcpu), OK);
	assert_flat_state(0x100020); /* virtual 0xc0100020 */
	assert_int_equal(vcpu.reg[REG_RAX], 0x2badb002);
	assert_memory_equal(ram + 0x100020, "kernel code here", 16);
	for (u32 i = 48; i < 112; i++)
		assert_int_equal(ram[0x100000 + i], FAKE_RAM_POISON); /* bss: nothing was put there */
}

static void test_multiboot_info(void **state)
{
	struct kernel32 kernel = kernel32();
	struct loader_input input = input_of(&kernel, sizeof(kernel));
	gpa_t info, mmap;

	(void)state;
	input.module_count = 2;
	input.module[0] = (struct loader_file){.name = "one.img", .arguments = "x=1 y", .bytes = "first", .size = 5};
	input.module[1] = (struct loader_file){.name = "two.img", .arguments = "", .bytes = "", .size = 0};
	assert_int_equal(loader_multiboot.load(&input, &vcpu), OK);
	info = vcpu.reg[REG_RBX];
	assert_true(info >= 0x10000 && info < 0x9fc00 && info % 4 == 0);
	assert_int_equal(get32(info), 1 | 4 | 8 | 64 | 512);
	assert_int_equal(get32(info + 4), 0x9fc00 / 1024);
	assert_int_equal(get32(info + 8), (RAM - MIB) / 1024);
	assert_string_equal(string_at(get32(info + 16)), "hello.elf a=1 b");
	assert_string_equal(string_at(get32(info + 64)), "Trivisor");
	assert_int_equal(get32(info + 20), 2);
	/* Modules: page aligned behind the kernel, in order, not overlapping. */
	gpa_t mods = get32(info + 24);
	assert_int_equal(get32(mods), 0x101000);
	assert_int_equal(get32(mods + 4), 0x101005);
	assert_memory_equal(ram + 0x101000, "first", 5);
	assert_string_equal(string_at(get32(mods + 8)), "one.img x=1 y");
	assert_int_equal(get32(mods + 16), 0x102000);
	assert_int_equal(get32(mods + 20), 0x102000);
	assert_string_equal(string_at(get32(mods + 24)), "two.img");
	/* The map: RAM, reserved, RAM; each entry of 24 bytes says 20. */
	mmap = get32(info + 48);
	assert_int_equal(get32(info + 44), 3 * 24);
	assert_int_equal(get32(mmap), 20);
	assert_int_equal(get64(mmap + 4), 0);
	assert_int_equal(get64(mmap + 12), 0x9fc00);
	assert_int_equal(get32(mmap + 20), 1);
	assert_int_equal(get32(mmap + 24 + 20), 2);
	assert_int_equal(get64(mmap + 48 + 4), MIB);
	assert_int_equal(get64(mmap + 48 + 12), RAM - MIB);
}

static void test_multiboot_addresses(void **state)
{
	struct kernel32 kernel = kernel32();
	struct loader_input input = input_of(&kernel, sizeof(kernel));
	u32 addresses[] = {0x201000, 0x200000, 0x201030, 0x201100, 0x201020};

	(void)state;
	kernel.header[1] |= 0x10000;
	memcpy(&kernel.header[3], addresses, sizeof(addresses));
	seal(&kernel);
	kernel.elf.e_machine = 99; /* the ELF header is not looked at */
	assert_ptr_equal(loader_of(&input.kernel), &loader_multiboot);
	assert_int_equal(loader_multiboot.load(&input, &vcpu), OK);
	assert_flat_state(0x201020);
	assert_memory_equal(ram + 0x200000, &kernel, 0x1030);
	assert_int_equal(ram[0x201030], FAKE_RAM_POISON);
	assert_int_equal(ram[0x2010ff], FAKE_RAM_POISON);
	/* load_end 0: to the end of the file; bss_end 0: no bss. */
	kernel.header[5] = kernel.header[6] = 0;
	memset(ram, FAKE_RAM_POISON, RAM);
	assert_int_equal(loader_multiboot.load(&input, &vcpu), OK);
	assert_memory_equal(ram + 0x200000, &kernel, sizeof(kernel));
	assert_int_equal(ram[0x200000 + sizeof(kernel)], FAKE_RAM_POISON);
}

static void refused(struct kernel32 *kernel, const char *name)
{
	struct loader_input input = input_of(kernel, sizeof(*kernel));
	int error;

	seal(kernel);
	assert_ptr_equal(loader_of(&input.kernel), &loader_multiboot);
	error = loader_multiboot.load(&input, &vcpu);
	assert_int_not_equal(error, OK);
	if (!strstr(message, name))
		fail_msg("no \"%s\" in \"%s\"", name, message);
}

static void test_multiboot_refusals(void **state)
{
	struct kernel32 kernel = kernel32();

	(void)state;
	kernel.header[1] = 7;
	refused(&kernel, "bit 2");
	kernel.header[1] = 0x8000;
	refused(&kernel, "0x8000 are unknown");
	kernel = kernel32();
	kernel.elf.e_entry = 0x500000;
	refused(&kernel, "entry address 0x500000");
	kernel = kernel32();
	kernel.program.p_paddr = RAM - 100;
	refused(&kernel, "p_paddr: address 0x3fff9c");
	kernel = kernel32();
	kernel.program.p_paddr = 0xb8000;
	refused(&kernel, "reserved area");
	kernel = kernel32();
	kernel.elf.e_machine = 40;
	refused(&kernel, "e_machine");
	kernel = kernel32();
	kernel.header[1] |= 0x10000;
	kernel.header[3] = 0x201000;
	kernel.header[4] = 0x1ffffc;
	refused(&kernel, "load_addr");
	kernel.header[4] = 0x201004;
	refused(&kernel, "load_addr");
	kernel.header[4] = 0x200000;
	kernel.header[5] = 0x200000 + sizeof(kernel) + 1;
	refused(&kernel, "load_end_addr");
	kernel.header[5] = 0x201030;
	kernel.header[6] = 0x201020;
	refused(&kernel, "bss_end_addr");
}

static void test_multiboot_header_place(void **state)
{
	static u8 file[8300];
	struct loader_file kernel = {.name = "k", .bytes = file, .size = sizeof(file)};
	static const u32 header[] = {0x1badb002, 0, 0 - 0x1badb002u};

	(void)state;
	assert_null(loader_of(&kernel));
	memcpy(file + 8192 - 12, header, 12);
	assert_ptr_equal(loader_of(&kernel), &loader_multiboot);
	kernel.size = 8191;
	assert_null(loader_of(&kernel));
	kernel.size = sizeof(file);
	memset(file, 0, sizeof(file));
	memcpy(file + 8192 - 8, header, 12);
	assert_null(loader_of(&kernel));
	memset(file, 0, sizeof(file));
	memcpy(file + 2, header, 12); /* not aligned */
	assert_null(loader_of(&kernel));
	memset(file, 0, sizeof(file));
	memcpy(file + 4, header, 12);
	file[12]++; /* checksum */
	assert_null(loader_of(&kernel));
}

static void test_module_without_room(void **state)
{
	struct kernel32 kernel = kernel32();
	struct loader_input input = input_of(&kernel, sizeof(kernel));
	void *big = calloc(1, RAM);

	(void)state;
	input.module_count = 1;
	input.module[0] = (struct loader_file){.name = "big.img", .arguments = "", .bytes = big, .size = RAM - MIB};
	assert_int_equal(loader_multiboot.load(&input, &vcpu), ERR_MEMORY);
	assert_non_null(strstr(message, "ramdisk big.img"));
	input.module[0].size = RAM - MIB - PAGE_SIZE;
	assert_int_equal(loader_multiboot.load(&input, &vcpu), OK);
	free(big);
}

struct kernel64 {
	Elf64_Ehdr elf;
	Elf64_Phdr program[2];
	Elf64_Nhdr note;
	char name[4];
	u64 entry;
	u32 header[3];
	u8 code[16];
};

static struct kernel64 kernel64(void)
{
	struct kernel64 kernel = {
		.elf = {.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_entry = 0xffffffff80200000,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2},
		.program = {{.p_type = PT_LOAD, .p_offset = offsetof(struct kernel64, code),
			     .p_vaddr = 0xffffffff80200000, .p_paddr = 0x200000, .p_filesz = 16, .p_memsz = 32},
			    {.p_type = PT_NOTE, .p_offset = offsetof(struct kernel64, note), .p_filesz = 24,
			     .p_align = 4}},
		.note = {4, 8, 18},
		.name = "Xen",
		.entry = 0x200004,
		.code = "64 bits of code",
	};

	memcpy(kernel.elf.e_ident, "\x7f" "ELF\x02\x01\x01", 7);
	return kernel;
}

static void test_pvh(void **state)
{
	struct kernel64 kernel = kernel64();
	struct loader_input input = input_of(&kernel, sizeof(kernel));
	gpa_t info, list, map;

	(void)state;
	input.rsdp = 0xe0000;
	input.module_count = 1;
	input.module[0] = (struct loader_file){.name = "initrd", .arguments = "arg", .bytes = "data", .size = 4};
	assert_ptr_equal(loader_of(&input.kernel), &loader_pvh);
	assert_int_equal(loader_pvh.load(&input, &vcpu), OK);
	assert_flat_state(0x200004);
	assert_memory_equal(ram + 0x200000, "64 bits of code", 16);
	assert_int_equal(ram[0x20001f], FAKE_RAM_POISON);
	info = vcpu.reg[REG_RBX];
	assert_int_equal(get32(info), 0x336ec578);
	assert_int_equal(get32(info + 4), 1);
	assert_int_equal(get32(info + 8), 0);
	assert_int_equal(get32(info + 12), 1);
	list = get64(info + 16);
	assert_string_equal(string_at(get64(info + 24)), "a=1 b");
	assert_int_equal(get64(info + 32), 0xe0000);
	map = get64(info + 40);
	assert_int_equal(get32(info + 48), 3);
	assert_int_equal(get64(list), 0x201000);
	assert_int_equal(get64(list + 8), 4);
	assert_string_equal(string_at(get64(list + 16)), "arg");
	assert_memory_equal(ram + 0x201000, "data", 4);
	assert_int_equal(get64(map + 2 * 24), MIB);
	assert_int_equal(get64(map + 2 * 24 + 8), RAM - MIB);
	assert_int_equal(get32(map + 2 * 24 + 16), 1);
}

static void test_pvh_refusals(void **state)
{
	struct kernel64 kernel = kernel64();
	struct loader_input input = input_of(&kernel, sizeof(kernel));

	(void)state;
	kernel.note.n_type = 17;
	assert_int_not_equal(loader_pvh.load(&input, &vcpu), OK);
	assert_non_null(strstr(message, "XEN_ELFNOTE_PHYS32_ENTRY"));
	kernel = kernel64();
	kernel.note.n_descsz = 6;
	assert_int_not_equal(loader_pvh.load(&input, &vcpu), OK);
	assert_non_null(strstr(message, "n_descsz is 6"));
	kernel = kernel64();
	kernel.entry = RAM;
	assert_int_not_equal(loader_pvh.load(&input, &vcpu), OK);
	assert_non_null(strstr(message, "address 0x400000"));
	kernel = kernel64();
	kernel.entry = 0x100000000ull;
	assert_int_not_equal(loader_pvh.load(&input, &vcpu), OK);
	kernel = kernel64();
	kernel.elf.e_phnum = 0;
	assert_int_not_equal(loader_pvh.load(&input, &vcpu), OK);
	assert_non_null(strstr(message, "e_phnum"));
}

/* 64-bit ELF with a multiboot header: by PVH when it has the note, else refused with advice. */
static void test_elf64_with_multiboot_header(void **state)
{
	struct kernel64 kernel = kernel64();
	struct loader_input input = input_of(&kernel, sizeof(kernel));

	(void)state;
	kernel.header[0] = 0x1badb002;
	kernel.header[2] = 0 - 0x1badb002u;
	assert_ptr_equal(loader_of(&input.kernel), &loader_pvh);
	kernel.note.n_type = 0;
	assert_ptr_equal(loader_of(&input.kernel), &loader_multiboot);
	assert_int_not_equal(loader_multiboot.load(&input, &vcpu), OK);
	assert_non_null(strstr(message, "EI_CLASS"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_multiboot_elf), TEST(test_multiboot_info), TEST(test_multiboot_addresses),
		TEST(test_multiboot_refusals), TEST(test_multiboot_header_place), TEST(test_module_without_room),
		TEST(test_pvh), TEST(test_pvh_refusals), TEST(test_elf64_with_multiboot_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
