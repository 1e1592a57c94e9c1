/* Loads the 64-bit half of a guest and starts it as PVH says: what any loader does, in small. */
#include "guests/lib/guest.h"

#define PT_LOAD	  1
#define PVH_MAGIC 0x336ec578u

/* The fields of an ELF64 header and program header that matter here. (System V gABI, "ELF Header", "Program Header") */
struct elf64 {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, segments, sections;
	u32 flags;
	u16 size, segment_size, segment_count;
};

struct segment {
	u32 type, flags;
	u64 offset, address, physical, file_size, memory_size, alignment;
};

struct pvh_range {
	u64 base, size;
	u32 type, reserved;
};

struct pvh {
	u32 magic, version, flags, module_count;
	u64 modules, command_line, rsdp, ranges;
	u32 range_count, reserved;
};

extern const u8 second_image[] __attribute__((weak)); /* only a guest of two halves has one */

static struct pvh_range ranges[BOOT_RANGES];
static struct pvh info;

/* The machine as PVH wants it: flat segments, no paging, EBX the information. */
static NORETURN void start(u32 entry)
{
	write_cr4(0);
	__asm__ volatile("jmp *%0" : : "r"(entry), "b"(&info) : "memory");
	__builtin_unreachable();
}

void second_half(void)
{
	const struct elf64 *elf = (const void *)second_image;
	const struct segment *segment = (const void *)(second_image + elf->segments);

	for (u32 i = 0; i < elf->segment_count; i++) {
		u8 *to = (u8 *)(word)segment[i].address;

		if (segment[i].type != PT_LOAD)
			continue;
		memcpy(to, second_image + segment[i].offset, (size_t)segment[i].file_size);
		memset(to + segment[i].file_size, 0, (size_t)(segment[i].memory_size - segment[i].file_size));
	}
	for (u32 i = 0; i < boot.range_count; i++)
		ranges[i] = (struct pvh_range){boot.range[i].base, boot.range[i].size, boot.range[i].type, 0};
	info = (struct pvh){.magic = PVH_MAGIC, .version = 1, .command_line = (word)boot.command_line};
	info.ranges = (word)ranges;
	info.range_count = boot.range_count;
	start((u32)elf->entry);
}
