/* What the guest loaders have in common. */
#include "vmm/loader_parts.h"
#include "arch/x86_64/cpu/regs.h"
#include "lib/error.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "vmm/vm.h"

/* Above the real-mode vectors, BIOS data and where kernels like to put their own low code. */
#define INFO_LOW 0x10000ull

#define FLAT_CODE     (SEGMENT_P | SEGMENT_S | SEGMENT_DB | SEGMENT_G | 11) /* execute/read, accessed */
#define FLAT_DATA     (SEGMENT_P | SEGMENT_S | SEGMENT_DB | SEGMENT_G | 3)  /* read/write, accessed */
#define BUSY_TSS_32   (SEGMENT_P | 11)
#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10
#define TSS_SELECTOR  0x18
#define TSS_LIMIT     0x67

int loader_fail(const struct loader_input *input, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fmt_vprint(input->message, input->message_size, format, args);
	va_end(args);
	return error;
}

unsigned long long loader_memory_mib(const struct loader_input *input)
{
	return ALIGN_UP(input->vm->memory.total, MIB) / MIB;
}

static int fail_place(const struct loader_input *input, int error, const char *what, gpa_t gpa, u64 size)
{
	const char *reason = error_name(error);

	if (error == ERR_RANGE)
		reason = "not all of it is RAM of this VM; give it more memory or link it lower";
	else if (error == ERR_EXISTS)
		reason = "overlaps what is there already, or the PC's reserved area below 1 MiB";
	return loader_fail(input, error, "%s: address 0x%llx, size 0x%llx: %s", what, (unsigned long long)gpa,
			   (unsigned long long)size, reason);
}

int loader_put_segment(const struct loader_input *input, struct placement *placement, const char *what, u64 offset,
		       u64 size, gpa_t gpa, u64 memory_size)
{
	int error = placement_take(placement, gpa, memory_size);

	if (error)
		return fail_place(input, error, what, gpa, memory_size);
	error = guest_write(input->vm, gpa, (const u8 *)input->kernel.bytes + offset, size);
	return error ? loader_fail(input, error, "%s: writing it failed: %s", what, error_name(error)) : OK;
}

int loader_put_elf(const struct loader_input *input, struct placement *placement, const struct elf *elf, gpa_t limit)
{
	for (u32 i = 0; i < elf->segment_count; i++) {
		const struct elf_segment *segment = &elf->segment[i];
		int error;

		if (segment->pa + segment->memory_size > limit)
			return loader_fail(input, ERR_RANGE, "p_paddr 0x%llx: a segment ends above 0x%llx",
					   (unsigned long long)segment->pa, (unsigned long long)limit);
		error = loader_put_segment(input, placement, "p_paddr", segment->offset, segment->file_size,
					   segment->pa, segment->memory_size);
		if (error)
			return error;
	}
	return OK;
}

int loader_put_modules(const struct loader_input *input, struct placement *placement, gpa_t limit, gpa_t *gpa)
{
	gpa_t low = placement_end(placement);

	for (u32 i = 0; i < input->module_count; i++) {
		const struct loader_file *module = &input->module[i];
		int error;

		gpa[i] = placement_find(placement, module->size, PAGE_SIZE, low, limit);
		if (!gpa[i])
			return loader_fail(input, ERR_MEMORY,
					   "ramdisk %s, %llu KiB: no room left for it in memory = %lluM", module->name,
					   (unsigned long long)(module->size / KIB), loader_memory_mib(input));
		error = guest_write(input->vm, gpa[i], module->bytes, module->size);
		if (error)
			return loader_fail(input, error, "ramdisk %s: writing it failed: %s", module->name,
					   error_name(error));
	}
	return OK;
}

void loader_info_begin(struct loader_info *info, const struct loader_input *input, struct placement *placement,
		       u64 size, gpa_t limit)
{
	gpa_t at = placement_find(placement, size, PAGE_SIZE, INFO_LOW, limit);

	*info = (struct loader_info){.input = input, .next = at, .end = at + size};
	if (!at)
		info->error = loader_fail(input, ERR_MEMORY, "no room for %llu bytes of boot information",
					  (unsigned long long)size);
}

gpa_t loader_info_put(struct loader_info *info, const void *bytes, u64 size)
{
	gpa_t at = ALIGN_UP(info->next, 8ull);

	if (info->error)
		return 0;
	if (at > info->end || size > info->end - at)
		info->error = loader_fail(info->input, ERR_MEMORY, "the boot information does not fit its area");
	else
		info->error = guest_write(info->input->vm, at, bytes, size);
	info->next = at + size;
	return info->error ? 0 : at;
}

gpa_t loader_info_put_string(struct loader_info *info, const char *first, const char *second)
{
	char text[CONFIG_FILE_SIZE + CONFIG_TEXT_SIZE];
	int length = fmt_print(text, sizeof(text), "%s%s%s", first, *first && *second ? " " : "", second);

	return loader_info_put(info, text, MIN((u64)length + 1, sizeof(text)));
}

u64 loader_info_size(const struct loader_input *input)
{
	u64 strings = CONFIG_FILE_SIZE + CONFIG_TEXT_SIZE + 8;

	return ALIGN_UP(PAGE_SIZE + strings * (1 + input->module_count), PAGE_SIZE);
}

void loader_state_flat(struct vcpu_state *state, gpa_t entry)
{
	for (u32 i = SEG_ES; i <= SEG_GS; i++)
		state->segment[i] =
			(struct segment){.selector = DATA_SELECTOR, .attributes = FLAT_DATA, .limit = 0xffffffff};
	state->segment[SEG_CS] =
		(struct segment){.selector = CODE_SELECTOR, .attributes = FLAT_CODE, .limit = 0xffffffff};
	state->segment[SEG_TR] =
		(struct segment){.selector = TSS_SELECTOR, .attributes = BUSY_TSS_32, .limit = TSS_LIMIT};
	state->reg[REG_CR0] = CR0_PE | CR0_ET;
	state->reg[REG_CR4] = 0;
	state->reg[REG_RFLAGS] = RFLAGS_ONE;
	state->reg[REG_RIP] = entry;
}

int loader_finish(const struct loader_input *input, struct placement *placement, loader_put_info_t put_info,
		  gpa_t entry, struct vcpu_state *state)
{
	gpa_t module[CONFIG_MAX_MODULES], info = 0;
	int error = loader_put_modules(input, placement, LOADER_LIMIT_32, module);

	if (!error)
		error = put_info(input, placement, module, &info);
	if (error)
		return error;
	loader_state_flat(state, entry);
	state->reg[REG_RBX] = info;
	return OK;
}
