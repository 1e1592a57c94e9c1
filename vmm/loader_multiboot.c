/*
 * Multiboot 1 kernels (Multiboot Specification 0.6.96): ELF32, or any file whose header brings its own addresses. What
 * a guest gets is what QEMU's -kernel and -initrd give it, so that one binary runs the same in both.
 */
#include "lib/fmt.h"
#include "lib/string.h"
#include "vmm/e820.h"
#include "vmm/loader_parts.h"
#include "vmm/vm.h"

#define HEADER_MAGIC	 0x1badb002u
#define BOOT_MAGIC	 0x2badb002u
#define HEADER_SEARCH	 8192u /* "OS image format": the header lies within the first 8192 bytes, aligned to 4 */
#define HEADER_PAGES	 BIT(0) /* modules page aligned */
#define HEADER_MEMORY	 BIT(1) /* memory information needed */
#define HEADER_VIDEO	 BIT(2) /* video mode information needed */
#define HEADER_REQUIRED	 BITS(15, 0)
#define HEADER_ADDRESSES BIT(16)

#define INFO_MEMORY	 BIT(0)
#define INFO_CMDLINE	 BIT(2)
#define INFO_MODULES	 BIT(3)
#define INFO_MMAP	 BIT(6)
#define INFO_LOADER_NAME BIT(9)

struct mb_header {
	u32 magic, flags, checksum;
	u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr; /* with HEADER_ADDRESSES */
} PACKED;

#define HEADER_SHORT offsetof(struct mb_header, header_addr)

/* Up to what we fill; the specification's structure goes on with fields whose flags are 0. */
struct mb_info {
	u32 flags;
	u32 mem_lower, mem_upper;
	u32 boot_device;
	u32 cmdline;
	u32 mods_count, mods_addr;
	u32 syms[4];
	u32 mmap_length, mmap_addr;
	u32 drives_length, drives_addr;
	u32 config_table;
	u32 boot_loader_name;
	u32 apm_table;
	u32 vbe[4];
	u32 framebuffer[7];
} PACKED;

struct mb_module {
	u32 mod_start, mod_end, string, reserved;
} PACKED;

struct mb_mmap {
	u32 size; /* of what follows */
	u64 base_addr, length;
	u32 type;
} PACKED;

/* Find the header; its place in the file, or -1. */
static s64 find_header(const struct loader_file *kernel, struct mb_header *header)
{
	u64 end = MIN(kernel->size, (u64)HEADER_SEARCH);

	for (u64 at = 0; at + HEADER_SHORT <= end; at += 4) {
		memset(header, 0, sizeof(*header));
		memcpy(header, (const u8 *)kernel->bytes + at, HEADER_SHORT);
		if (header->magic != HEADER_MAGIC || header->magic + header->flags + header->checksum)
			continue;
		if (header->flags & HEADER_ADDRESSES && at + sizeof(*header) <= end)
			memcpy(header, (const u8 *)kernel->bytes + at, sizeof(*header));
		else if (header->flags & HEADER_ADDRESSES)
			return -1;
		return (s64)at;
	}
	return -1;
}

/* A 64-bit ELF file cannot be entered by multiboot 1; with a note for PVH it can be by that. */
static bool multiboot_recognize(const struct loader_file *kernel)
{
	struct mb_header header;

	if (find_header(kernel, &header) < 0)
		return false;
	return header.flags & HEADER_ADDRESSES || !elf_is_64(kernel->bytes, kernel->size) ||
	       !loader_pvh_has_entry(kernel);
}

static int check_flags(const struct loader_input *input, u32 flags)
{
	u32 unknown = flags & (u32)(HEADER_REQUIRED & ~(HEADER_PAGES | HEADER_MEMORY | HEADER_VIDEO));

	if (flags & HEADER_VIDEO)
		return loader_fail(input, ERR_UNSUPPORTED,
				   "multiboot flags 0x%x: bit 2 asks for a video mode, the VM has no screen", flags);
	if (unknown)
		return loader_fail(input, ERR_UNSUPPORTED, "multiboot flags 0x%x: required bits 0x%x are unknown",
				   flags, unknown);
	return OK;
}

/* The header's own addresses ("The address fields of Multiboot header"). */
static int load_by_header(const struct loader_input *input, struct placement *placement, const struct mb_header *header,
			  u64 header_at, gpa_t *entry)
{
	u64 offset, size, memory_size;

	if (header->load_addr > header->header_addr || header->header_addr - header->load_addr > header_at)
		return loader_fail(input, ERR_FORMAT, "multiboot load_addr 0x%x: does not match header_addr 0x%x",
				   header->load_addr, header->header_addr);
	offset = header_at - (header->header_addr - header->load_addr);
	size = input->kernel.size - offset;
	if (header->load_end_addr) {
		if (header->load_end_addr < header->load_addr || header->load_end_addr - header->load_addr > size)
			return loader_fail(input, ERR_FORMAT,
					   "multiboot load_end_addr 0x%x: the file holds 0x%llx bytes from load_addr",
					   header->load_end_addr, (unsigned long long)size);
		size = header->load_end_addr - header->load_addr;
	}
	memory_size = size;
	if (header->bss_end_addr) {
		if (header->bss_end_addr < header->load_addr + size)
			return loader_fail(input, ERR_FORMAT,
					   "multiboot bss_end_addr 0x%x: lies before the end of what is loaded",
					   header->bss_end_addr);
		memory_size = header->bss_end_addr - header->load_addr;
	}
	*entry = header->entry_addr;
	return loader_put_segment(input, placement, "multiboot load_addr", offset, size, header->load_addr,
				  memory_size);
}

static int load_by_elf(const struct loader_input *input, struct placement *placement, gpa_t *entry)
{
	char message[160];
	struct elf elf;
	int error = elf_parse(&elf, input->kernel.bytes, input->kernel.size, message, sizeof(message));

	if (error)
		return loader_fail(input, error, "%s", message);
	if (elf.is_64)
		return loader_fail(input, ERR_UNSUPPORTED,
				   "e_ident[EI_CLASS] is 2 (64 bits), but multiboot 1 starts in 32-bit mode: link it "
				   "as elf32-i386, "
				   "or give it a PVH note");
	*entry = elf.entry_pa;
	return loader_put_elf(input, placement, &elf, LOADER_LIMIT_32);
}

static void put_modules(struct loader_info *info, const struct loader_input *input, const gpa_t *gpa,
			struct mb_info *mb)
{
	struct mb_module module[CONFIG_MAX_MODULES];

	for (u32 i = 0; i < input->module_count; i++)
		module[i] = (struct mb_module){
			.mod_start = (u32)gpa[i],
			.mod_end = (u32)(gpa[i] + input->module[i].size),
			.string = (u32)loader_info_put_string(info, input->module[i].name, input->module[i].arguments),
		};
	mb->flags |= (u32)INFO_MODULES;
	mb->mods_count = input->module_count;
	mb->mods_addr = (u32)loader_info_put(info, module, input->module_count * sizeof(module[0]));
}

static void put_memory(struct loader_info *info, const struct loader_input *input, struct mb_info *mb)
{
	struct e820_entry entry[E820_MAX];
	struct mb_mmap mmap[E820_MAX];
	u32 count = e820_build(&input->vm->memory, entry);

	for (u32 i = 0; i < count; i++) {
		gpa_t end = entry[i].start + entry[i].size;

		mmap[i] = (struct mb_mmap){sizeof(mmap[i]) - sizeof(mmap[i].size), entry[i].start, entry[i].size,
					   entry[i].type};
		/* mem_lower starts at 0, mem_upper at 1 MiB and ends at the first hole; in KiB. */
		if (entry[i].type == E820_RAM && entry[i].start == 0)
			mb->mem_lower = (u32)(MIN(end, 640 * KIB) / KIB);
		if (entry[i].type == E820_RAM && entry[i].start == MIB)
			mb->mem_upper = (u32)(MIN(entry[i].size, LOADER_LIMIT_32) / KIB);
	}
	mb->flags |= (u32)(INFO_MEMORY | INFO_MMAP);
	mb->mmap_length = (u32)(count * sizeof(mmap[0]));
	mb->mmap_addr = (u32)loader_info_put(info, mmap, mb->mmap_length);
}

static int put_info(const struct loader_input *input, struct placement *placement, const gpa_t *gpa, gpa_t *at)
{
	struct loader_info info;
	struct mb_info mb = {.flags = 0};

	loader_info_begin(&info, input, placement, loader_info_size(input), LOADER_LIMIT_32);
	put_memory(&info, input, &mb);
	if (input->module_count)
		put_modules(&info, input, gpa, &mb);
	mb.flags |= (u32)(INFO_CMDLINE | INFO_LOADER_NAME);
	mb.cmdline = (u32)loader_info_put_string(&info, input->kernel.name, input->extra);
	mb.boot_loader_name = (u32)loader_info_put_string(&info, "Trivisor", "");
	*at = loader_info_put(&info, &mb, sizeof(mb));
	return info.error;
}

/* "Machine state": EAX the magic, EBX the information, flat 32-bit segments, A20 on, paging and interrupts off. */
static int multiboot_load(const struct loader_input *input, struct vcpu_state *state)
{
	struct placement placement;
	struct mb_header header;
	gpa_t entry = 0;
	s64 at = find_header(&input->kernel, &header);
	int error;

	if (at < 0)
		return loader_fail(input, ERR_FORMAT, "no multiboot header in the first 8192 bytes");
	placement_init(&placement, &input->vm->memory);
	error = check_flags(input, header.flags);
	if (!error && header.flags & HEADER_ADDRESSES)
		error = load_by_header(input, &placement, &header, (u64)at, &entry);
	else if (!error)
		error = load_by_elf(input, &placement, &entry);
	if (error)
		return error;
	if (!guest_memory_contains(&input->vm->memory, entry, 1, false))
		return loader_fail(input, ERR_RANGE, "entry address 0x%llx is outside the VM's RAM",
				   (unsigned long long)entry);
	state->reg[REG_RAX] = BOOT_MAGIC;
	return loader_finish(input, &placement, put_info, entry, state);
}

const struct loader_ops loader_multiboot = {
	.name = "multiboot",
	.recognize = multiboot_recognize,
	.load = multiboot_load,
};
