/*
 * Linux kernels by the Linux/x86 boot protocol (Documentation/x86/boot.rst): a bzImage is entered in 64-bit mode where
 * it offers that (xloadflags XLF_KERNEL_64), else in 32-bit mode. Other programs use the same protocol, memtest86+
 * among them. Pure.
 */
#include "arch/x86_64/cpu/regs.h"
#include "core/pool.h"
#include "lib/string.h"
#include "vmm/e820.h"
#include "vmm/loader_parts.h"
#include "vmm/vm.h"

#define BOOT_FLAG	  0xaa55u
#define HEADER_MAGIC	  0x53726448u /* "HdrS" */
#define VERSION_MIN	  0x0203u     /* from here on initrd_addr_max is there */
#define VERSION_CMDLINE	  0x0206u     /* cmdline_size */
#define VERSION_RELOCATE  0x0205u     /* kernel_alignment, relocatable_kernel */
#define VERSION_INIT_SIZE 0x020au     /* pref_address, init_size */
#define VERSION_XLOAD	  0x020cu     /* xloadflags */

#define LOADED_HIGH	 BIT(0) /* loadflags: the kernel goes to 1 MiB or above */
#define XLF_KERNEL_64	 BIT(0) /* xloadflags: 64-bit entry at 0x200 */
#define ENTRY_64	 0x200u
#define LOADER_UNKNOWN	 0xffu
#define SECTOR		 512u
#define SETUP_SECTS_OLD	 4u /* what 0 stands for */
#define CMDLINE_SIZE_OLD 255u
#define DEFAULT_ADDRESS	 0x100000ull

/* From 0x1f1 of the file and of struct boot_params. Names as in boot.rst. */
struct setup_header {
	u8 setup_sects;
	u16 root_flags;
	u32 syssize;
	u16 ram_size, vid_mode, root_dev, boot_flag;
	u8 jump, jump_length; /* of a two-byte jump over the rest of the header: tells where that ends */
	u32 header;
	u16 version;
	u32 realmode_swtch;
	u16 start_sys_seg, kernel_version;
	u8 type_of_loader, loadflags;
	u16 setup_move_size;
	u32 code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
	u16 heap_end_ptr;
	u8 ext_loader_ver, ext_loader_type;
	u32 cmd_line_ptr, initrd_addr_max, kernel_alignment;
	u8 relocatable_kernel, min_alignment;
	u16 xloadflags;
	u32 cmdline_size, hardware_subarch;
	u64 hardware_subarch_data;
	u32 payload_offset, payload_length;
	u64 setup_data, pref_address;
	u32 init_size, handover_offset, kernel_info_offset;
} PACKED;

#define HEADER_AT 0x1f1u
/* The jump's displacement counts from here. */
#define JUMP_END (HEADER_AT + offsetof(struct setup_header, header))
_Static_assert(HEADER_AT + offsetof(struct setup_header, init_size) == 0x260, "setup header of boot.rst");

#define BOOT_E820_MAX 128

struct boot_e820 {
	u64 addr, size;
	u32 type;
} PACKED;

/* struct boot_params ("The Zero Page"): what we fill. */
struct boot_params {
	u8 screen_info[0x40], other0[0x30];
	u64 acpi_rsdp_addr; /* 0x70 */
	u8 other1[0x168];
	u32 alt_mem_k; /* 0x1e0 */
	u8 other2[4], e820_entries; /* 0x1e8 */
	u8 other3[8];
	struct setup_header hdr; /* 0x1f1 */
	u8 other4[0x2d0 - HEADER_AT - sizeof(struct setup_header)];
	struct boot_e820 e820_table[BOOT_E820_MAX]; /* 0x2d0 */
	u8 other5[0x330];
} PACKED;

_Static_assert(offsetof(struct boot_params, acpi_rsdp_addr) == 0x70, "zero page");
_Static_assert(offsetof(struct boot_params, hdr) == HEADER_AT, "zero page");
_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "zero page");
_Static_assert(E820_MAX <= BOOT_E820_MAX, "the map fits");

/* What the header comes to. */
struct linux_image {
	struct setup_header header;
	u64 offset, size; /* of the protected-mode kernel in the file */
	u64 init_size;	  /* RAM it needs from where it is loaded */
	u64 cmdline_size; /* without the terminating zero */
	gpa_t initrd_end; /* the initrd must end below it */
	gpa_t address;	  /* where it is loaded */
	bool is_64;
};

static bool linux_recognize(const struct loader_file *kernel)
{
	struct setup_header header;

	if (kernel->size < HEADER_AT + sizeof(header))
		return false;
	memcpy(&header, (const u8 *)kernel->bytes + HEADER_AT, sizeof(header));
	return header.boot_flag == BOOT_FLAG && header.header == HEADER_MAGIC;
}

/*
 * Fields that this version of the protocol does not have yet read as 0: what stands in their place in the file is code.
 */
static void read_header(const struct loader_file *kernel, struct setup_header *header)
{
	u64 end = JUMP_END + ((const u8 *)kernel->bytes)[HEADER_AT + offsetof(struct setup_header, jump_length)];

	memset(header, 0, sizeof(*header));
	memcpy(header, (const u8 *)kernel->bytes + HEADER_AT, MIN(end - HEADER_AT, sizeof(*header)));
}

static int check_version(const struct loader_input *input, const struct setup_header *header)
{
	if (header->version < VERSION_MIN)
		return loader_fail(input, ERR_UNSUPPORTED,
				   "setup header: version 0x%x: boot protocol 0x%x or later is needed", header->version,
				   VERSION_MIN);
	if (!(header->loadflags & LOADED_HIGH))
		return loader_fail(
			input, ERR_UNSUPPORTED,
			"setup header: loadflags 0x%x: bit 0 (LOADED_HIGH) is clear: a zImage, make a bzImage of it",
			header->loadflags);
	return OK;
}

static int check_sizes(const struct loader_input *input, struct linux_image *image)
{
	const struct setup_header *header = &image->header;
	u32 sectors = header->setup_sects ? header->setup_sects : SETUP_SECTS_OLD;
	u64 needed;

	image->offset = (sectors + 1ull) * SECTOR;
	if (image->offset >= input->kernel.size)
		return loader_fail(input, ERR_FORMAT,
				   "setup header: setup_sects %u: the file ends at 0x%llx, before the kernel at 0x%llx",
				   sectors, (unsigned long long)input->kernel.size, (unsigned long long)image->offset);
	image->size = input->kernel.size - image->offset;
	needed = header->syssize * 16ull;
	/* syssize is rounded up to 16 bytes: a file may end within the last ones. */
	if (needed > image->size + 15)
		return loader_fail(
			input, ERR_FORMAT,
			"setup header: syssize 0x%x: the file is truncated, 0x%llx bytes of 0x%llx are there",
			header->syssize, (unsigned long long)image->size, (unsigned long long)needed);
	return OK;
}

/* What older protocols do not tell has a value that was always right for them. */
static void take_limits(struct linux_image *image)
{
	const struct setup_header *header = &image->header;

	image->is_64 = header->version >= VERSION_XLOAD && header->xloadflags & XLF_KERNEL_64;
	image->init_size =
		header->version >= VERSION_INIT_SIZE ? MAX((u64)header->init_size, image->size) : 4 * image->size;
	image->cmdline_size = header->version >= VERSION_CMDLINE ? header->cmdline_size : CMDLINE_SIZE_OLD;
	image->initrd_end = header->initrd_addr_max + 1ull;
}

static int read_image(const struct loader_input *input, struct linux_image *image)
{
	int error;

	read_header(&input->kernel, &image->header);
	error = check_version(input, &image->header);
	if (!error)
		error = check_sizes(input, image);
	if (error)
		return error;
	take_limits(image);
	if (strlen(input->extra) > image->cmdline_size)
		return loader_fail(input, ERR_RANGE, "setup header: cmdline_size %llu: `extra` has %u characters",
				   (unsigned long long)image->cmdline_size, (u32)strlen(input->extra));
	return OK;
}

/* Where it would like to be, or, when it can be moved, the lowest place with room for it. */
static int choose_address(const struct loader_input *input, struct placement *placement, struct linux_image *image)
{
	const struct setup_header *header = &image->header;
	u64 align = header->kernel_alignment;
	bool relocatable = header->version >= VERSION_RELOCATE && header->relocatable_kernel;

	image->address = header->version >= VERSION_INIT_SIZE ? header->pref_address : DEFAULT_ADDRESS;
	if (guest_memory_contains(&input->vm->memory, image->address, image->init_size, true))
		return OK;
	if (relocatable && (!align || align & (align - 1)))
		return loader_fail(input, ERR_FORMAT, "setup header: kernel_alignment 0x%x: no power of two",
				   header->kernel_alignment);
	if (relocatable)
		image->address = placement_find(placement, image->init_size, align, DEFAULT_ADDRESS, LOADER_LIMIT_32);
	if (!relocatable || !image->address)
		return loader_fail(
			input, ERR_MEMORY,
			"setup header: init_size 0x%llx from pref_address 0x%llx: memory = %lluM is too little",
			(unsigned long long)image->init_size, (unsigned long long)header->pref_address,
			loader_memory_mib(input));
	/* placement_find() has taken it; what follows takes it by its address. */
	placement_init(placement, &input->vm->memory);
	return OK;
}

/*
 * One initial RAM disk, or several one behind the other, as the kernel reads concatenated archives (initramfs buffer
 * format).
 */
static int put_initrd(const struct loader_input *input, struct placement *placement, struct linux_image *image)
{
	gpa_t at = 0, next;
	u64 size = 0;
	int error;

	for (u32 i = 0; i < input->module_count; i++)
		size = ALIGN_UP(size, 4ull) + input->module[i].size;
	if (!size)
		return OK;
	at = placement_find(placement, size, PAGE_SIZE, image->address, MIN(image->initrd_end, LOADER_LIMIT_32));
	if (!at)
		return loader_fail(input, ERR_MEMORY,
				   "setup header: initrd_addr_max 0x%x: no room for a ramdisk of %llu KiB below it in "
				   "memory = %lluM",
				   image->header.initrd_addr_max, (unsigned long long)(size / KIB),
				   loader_memory_mib(input));
	image->header.ramdisk_image = (u32)at;
	image->header.ramdisk_size = (u32)size;
	next = at;
	for (u32 i = 0; i < input->module_count; i++) {
		next = at + ALIGN_UP(next - at, 4ull);
		error = guest_write(input->vm, next, input->module[i].bytes, input->module[i].size);
		if (error)
			return loader_fail(input, error, "ramdisk %s: writing it failed", input->module[i].name);
		next += input->module[i].size;
	}
	return OK;
}

/* "64-bit BOOT PROTOCOL": identity-mapped; 2 MiB pages, which every such processor has, for all that is below 4 GiB. */
#define TABLE_ENTRIES 512u
#define TABLE_FLAGS   (BIT(0) | BIT(1)) /* present, writable */
#define LARGE_FLAGS   (TABLE_FLAGS | BIT(7))
#define DIRECTORIES   4u

static gpa_t put_table(struct loader_info *info, u64 first, u64 step, u32 used)
{
	u64 entry[32];
	gpa_t at = 0;

	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		entry[i % ARRAY_SIZE(entry)] = i < used ? first + i * step : 0;
		if (i % ARRAY_SIZE(entry) == ARRAY_SIZE(entry) - 1) {
			gpa_t piece = loader_info_put(info, entry, sizeof(entry));

			at = at ? at : piece;
		}
	}
	return at;
}

/* The area begins on a page, and the tables come first in it. */
static gpa_t put_tables(struct loader_info *info)
{
	gpa_t directories = put_table(info, LARGE_FLAGS, 2 * MIB, TABLE_ENTRIES), pointers;

	for (u32 i = 1; i < DIRECTORIES; i++)
		put_table(info, LARGE_FLAGS + i * GIB, 2 * MIB, TABLE_ENTRIES);
	pointers = put_table(info, directories | TABLE_FLAGS, PAGE_SIZE, DIRECTORIES);
	return put_table(info, pointers | TABLE_FLAGS, 0, 1);
}

/* "a GDT must be loaded with the descriptors for selectors __BOOT_CS(0x10) and __BOOT_DS(0x18)". */
#define BOOT_CS	    0x10
#define BOOT_DS	    0x18
#define GDT_CODE_32 0x00cf9b000000ffffull
#define GDT_CODE_64 0x00af9b000000ffffull
#define GDT_DATA    0x00cf93000000ffffull

static void put_gdt(struct loader_info *info, const struct linux_image *image, struct vcpu_state *state)
{
	const u64 gdt[] = {0, 0, image->is_64 ? GDT_CODE_64 : GDT_CODE_32, GDT_DATA};

	state->gdtr =
		(struct descriptor_table){.base = loader_info_put(info, gdt, sizeof(gdt)), .limit = sizeof(gdt) - 1};
	for (u32 i = SEG_ES; i <= SEG_GS; i++)
		state->segment[i].selector = i == SEG_CS ? BOOT_CS : BOOT_DS;
}

static void fill_params(const struct loader_input *input, const struct linux_image *image, struct boot_params *params)
{
	struct e820_entry entry[E820_MAX];
	u32 count = e820_build(&input->vm->memory, entry);

	params->hdr = image->header;
	params->hdr.type_of_loader = LOADER_UNKNOWN;
	params->hdr.code32_start = (u32)image->address;
	params->hdr.setup_data = 0;
	params->acpi_rsdp_addr = input->rsdp;
	params->e820_entries = (u8)count;
	for (u32 i = 0; i < count; i++) {
		params->e820_table[i] = (struct boot_e820){entry[i].start, entry[i].size, entry[i].type};
		if (entry[i].type == E820_RAM && entry[i].start == MIB)
			params->alt_mem_k = (u32)(entry[i].size / KIB);
	}
}

/* The zero page is a page: written in pieces, so that no stack has to hold it. */
static gpa_t put_params(struct loader_info *info, const struct linux_image *image, gpa_t command_line)
{
	struct boot_params *params = pool_alloc(1);
	gpa_t at;

	if (!params) {
		info->error =
			loader_fail(info->input, ERR_MEMORY, "no memory in the hypervisor's pool for boot_params");
		return 0;
	}
	fill_params(info->input, image, params);
	params->hdr.cmd_line_ptr = (u32)command_line;
	at = loader_info_put(info, params, sizeof(*params));
	pool_free(params, 1);
	return at;
}

static int put_info(const struct loader_input *input, struct placement *placement, const struct linux_image *image,
		    struct vcpu_state *state)
{
	u64 size = PAGE_SIZE * (DIRECTORIES + 2 + 1) + CONFIG_TEXT_SIZE + PAGE_SIZE;
	struct loader_info info;

	loader_info_begin(&info, input, placement, ALIGN_UP(size, PAGE_SIZE), LOADER_LIMIT_32);
	if (image->is_64) {
		state->reg[REG_CR3] = put_tables(&info);
		state->reg[REG_CR4] = CR4_PAE;
		state->reg[REG_CR0] |= CR0_PG;
		state->reg[REG_EFER] = EFER_LME | EFER_LMA;
		state->segment[SEG_CS].attributes =
			(state->segment[SEG_CS].attributes & ~(u32)SEGMENT_DB) | (u32)SEGMENT_L;
	}
	put_gdt(&info, image, state);
	state->reg[REG_RSI] = put_params(&info, image, loader_info_put_string(&info, input->extra, ""));
	return info.error;
}

/* Both entries: RSI or ESI is the zero page, interrupts are off; EBP, EDI and EBX are 0 as they are after RESET. */
static int linux_load(const struct loader_input *input, struct vcpu_state *state)
{
	struct linux_image image = {.is_64 = false};
	struct placement placement;
	int error = read_image(input, &image);

	if (error)
		return error;
	placement_init(&placement, &input->vm->memory);
	error = choose_address(input, &placement, &image);
	if (!error)
		error = loader_put_segment(input, &placement, "setup header: pref_address", image.offset, image.size,
					   image.address, image.init_size);
	if (!error)
		error = put_initrd(input, &placement, &image);
	if (error)
		return error;
	loader_state_flat(state, image.address + (image.is_64 ? ENTRY_64 : 0));
	state->reg[REG_RDX] = 0;
	return put_info(input, &placement, &image, state);
}

const struct loader_ops loader_linux = {
	.name = "linux",
	.recognize = linux_recognize,
	.load = linux_load,
};
