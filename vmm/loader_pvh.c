/*
 * PVH: an ELF file of 32 or 64 bits whose note XEN_ELFNOTE_PHYS32_ENTRY names a 32-bit entry point (Xen documentation,
 * "x86/HVM direct boot ABI"; structures of xen/include/public/arch-x86/hvm/start_info.h).
 */
#include "lib/string.h"
#include "vmm/e820.h"
#include "vmm/loader_parts.h"
#include "vmm/vm.h"

#define NOTE_NAME	  "Xen"
#define NOTE_PHYS32_ENTRY 18
#define START_MAGIC	  0x336ec578u
#define START_VERSION	  1u /* the first with a memory map */

struct hvm_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist_paddr, cmdline_paddr, rsdp_paddr;
	u64 memmap_paddr;
	u32 memmap_entries, reserved;
} PACKED;

struct hvm_modlist_entry {
	u64 paddr, size, cmdline_paddr, reserved;
} PACKED;

struct hvm_memmap_table_entry {
	u64 addr, size;
	u32 type, reserved;
} PACKED;

/* Whatever is ELF and nothing else: what is wrong with it is said when it is loaded. */
static bool pvh_recognize(const struct loader_file *kernel)
{
	return elf_recognize(kernel->bytes, kernel->size);
}

bool loader_pvh_has_entry(const struct loader_file *kernel)
{
	char message[160];
	struct elf elf;
	u32 size;

	return elf_parse(&elf, kernel->bytes, kernel->size, message, sizeof(message)) == OK &&
	       elf_find_note(&elf, NOTE_NAME, NOTE_PHYS32_ENTRY, &size);
}

/* The description is as wide as the file's class, though only 32 bits of it can be meant. */
static int find_entry(const struct loader_input *input, const struct elf *elf, gpa_t *entry)
{
	u32 size = 0;
	const void *note = elf_find_note(elf, NOTE_NAME, NOTE_PHYS32_ENTRY, &size);

	*entry = 0;
	if (!note)
		return loader_fail(input, ERR_FORMAT,
				   "an ELF file without a multiboot header and without the note "
				   "XEN_ELFNOTE_PHYS32_ENTRY: no way to start it");
	if (size != 4 && size != 8)
		return loader_fail(input, ERR_FORMAT, "note XEN_ELFNOTE_PHYS32_ENTRY: n_descsz is %u, expected 4 or 8",
				   size);
	memcpy(entry, note, size);
	if (*entry >= LOADER_LIMIT_32 || !guest_memory_contains(&input->vm->memory, *entry, 1, false))
		return loader_fail(input, ERR_RANGE,
				   "note XEN_ELFNOTE_PHYS32_ENTRY: address 0x%llx is outside the VM's RAM",
				   (unsigned long long)*entry);
	return OK;
}

static void put_memory(struct loader_info *info, const struct loader_input *input, struct hvm_start_info *start)
{
	struct hvm_memmap_table_entry table[E820_MAX];
	struct e820_entry entry[E820_MAX];

	start->memmap_entries = e820_build(&input->vm->memory, entry);
	for (u32 i = 0; i < start->memmap_entries; i++)
		table[i] = (struct hvm_memmap_table_entry){entry[i].start, entry[i].size, entry[i].type, 0};
	start->memmap_paddr = loader_info_put(info, table, start->memmap_entries * sizeof(table[0]));
}

static void put_modules(struct loader_info *info, const struct loader_input *input, const gpa_t *gpa,
			struct hvm_start_info *start)
{
	struct hvm_modlist_entry list[CONFIG_MAX_MODULES];

	for (u32 i = 0; i < input->module_count; i++)
		list[i] = (struct hvm_modlist_entry){
			.paddr = gpa[i],
			.size = input->module[i].size,
			.cmdline_paddr = loader_info_put_string(info, input->module[i].arguments, ""),
		};
	start->nr_modules = input->module_count;
	start->modlist_paddr = loader_info_put(info, list, input->module_count * sizeof(list[0]));
}

static int put_info(const struct loader_input *input, struct placement *placement, const gpa_t *gpa, gpa_t *at)
{
	struct hvm_start_info start = {.magic = START_MAGIC, .version = START_VERSION, .rsdp_paddr = input->rsdp};
	struct loader_info info;

	loader_info_begin(&info, input, placement, loader_info_size(input), LOADER_LIMIT_32);
	put_memory(&info, input, &start);
	if (input->module_count)
		put_modules(&info, input, gpa, &start);
	start.cmdline_paddr = loader_info_put_string(&info, input->extra, "");
	*at = loader_info_put(&info, &start, sizeof(start));
	return info.error;
}

static int pvh_load(const struct loader_input *input, struct vcpu_state *state)
{
	struct placement placement;
	char message[160];
	gpa_t entry = 0;
	struct elf elf;
	int error;

	error = elf_parse(&elf, input->kernel.bytes, input->kernel.size, message, sizeof(message));
	if (error)
		return loader_fail(input, error, "%s", message);
	error = find_entry(input, &elf, &entry);
	if (error)
		return error;
	placement_init(&placement, &input->vm->memory);
	error = loader_put_elf(input, &placement, &elf, GUEST_MEMORY_LIMIT);
	return error ? error : loader_finish(input, &placement, put_info, entry, state);
}

const struct loader_ops loader_pvh = {
	.name = "pvh",
	.recognize = pvh_recognize,
	.load = pvh_load,
};
