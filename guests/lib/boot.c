/* What the loader passed, made one of three: multiboot 1, multiboot 2 (GRUB) or PVH. */
#include "guests/lib/start.h"

#define MULTIBOOT1_BOOTED 0x2badb002u
#define MULTIBOOT2_BOOTED 0x36d76289u
#define PVH_MAGIC	  0x336ec578u /* in memory, "xEn3" with the high bit of E set */

struct boot boot = {.protocol = "nothing known", .command_line = ""};

static void *pointer(u64 address)
{
	return (void *)(word)address;
}

static void add_range(u64 base, u64 size, u32 type)
{
	if (boot.range_count < BOOT_RANGES)
		boot.range[boot.range_count++] = (struct boot_range){base, size, type};
}

static void add_module(u64 start, u64 size, u64 arguments)
{
	if (boot.module_count < BOOT_MODULES)
		boot.module[boot.module_count++] =
			(struct boot_module){arguments ? pointer(arguments) : "", pointer(start), (word)size};
}

/* Multiboot Specification 0.6.96, "Boot information format". */
struct multiboot1 {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

static void parse_multiboot1(const struct multiboot1 *info)
{
	boot.protocol = "multiboot";
	if (info->flags & BIT(2))
		boot.command_line = pointer(info->cmdline);
	for (u32 i = 0; (info->flags & BIT(3)) && i < info->mods_count; i++) {
		const u32 *module = (const u32 *)pointer(info->mods_addr) + 4 * i;

		add_module(module[0], module[1] - module[0], module[2]);
	}
	if (!(info->flags & BIT(6))) {
		add_range(0, info->mem_lower * 1024ull, RANGE_RAM);
		add_range(0x100000, info->mem_upper * 1024ull, RANGE_RAM);
		return;
	}
	for (u32 at = 0; at < info->mmap_length;) {
		const u32 *entry = pointer(info->mmap_addr + at); /* size of the rest, base, length, type */

		add_range((u64)entry[2] << 32 | entry[1], (u64)entry[4] << 32 | entry[3], entry[5]);
		at += entry[0] + 4;
	}
}

/* Multiboot2 Specification 2.0, "Boot information": tags of (type, size), each on a boundary of 8 bytes. */
static void parse_multiboot2(word info)
{
	const u32 *tag = pointer(info + 8);

	boot.protocol = "multiboot2";
	for (; tag[0] != 0; tag = pointer((word)tag + ((tag[1] + 7) & ~7u))) {
		if (tag[0] == 1)
			boot.command_line = (const char *)(tag + 2);
		if (tag[0] == 3)
			add_module(tag[2], tag[3] - tag[2], (word)(tag + 4));
		if (tag[0] == 14 || (tag[0] == 15 && !boot.rsdp))
			boot.rsdp = tag + 2;
		for (u32 at = 16; tag[0] == 6 && at < tag[1]; at += tag[2]) {
			const u32 *entry = pointer((word)tag + at);

			add_range((u64)entry[1] << 32 | entry[0], (u64)entry[3] << 32 | entry[2], entry[4]);
		}
	}
}

/* Xen's public/arch-x86/hvm/start_info.h. */
struct pvh {
	u32 magic, version, flags, module_count;
	u64 modules, command_line, rsdp, ranges;
	u32 range_count, reserved;
};

static void parse_pvh(const struct pvh *info)
{
	boot.protocol = "PVH";
	if (info->command_line)
		boot.command_line = pointer(info->command_line);
	if (info->rsdp)
		boot.rsdp = pointer(info->rsdp);
	for (u32 i = 0; i < info->module_count; i++) {
		/* address, size, arguments, reserved */
		const u64 *module = (const u64 *)pointer(info->modules) + 4 * i;

		add_module(module[0], module[1], module[2]);
	}
	for (u32 i = 0; info->version >= 1 && i < info->range_count; i++) {
		const u64 *range = (const u64 *)pointer(info->ranges) + 3 * i; /* base, size, type and reserved */

		add_range(range[0], range[1], (u32)range[2]);
	}
}

void boot_parse(u32 magic, word info)
{
	if (magic == MULTIBOOT1_BOOTED)
		parse_multiboot1(pointer(info));
	else if (magic == MULTIBOOT2_BOOTED)
		parse_multiboot2(info);
	else if (*(const u32 *)pointer(info) == PVH_MAGIC)
		parse_pvh(pointer(info));
}

u64 boot_ram_size(void)
{
	u64 size = 0;

	for (u32 i = 0; i < boot.range_count; i++)
		size += boot.range[i].type == RANGE_RAM ? boot.range[i].size : 0;
	return size;
}

u64 boot_ram_end(void)
{
	u64 end = 0;

	for (u32 i = 0; i < boot.range_count; i++)
		if (boot.range[i].type == RANGE_RAM && boot.range[i].base + boot.range[i].size > end)
			end = boot.range[i].base + boot.range[i].size;
	return end;
}

/* Where the value of `name=` starts on the command line, or NULL. */
static const char *option(const char *name)
{
	size_t length = strlen(name);

	for (const char *at = boot.command_line; *at; at++)
		if ((at == boot.command_line || at[-1] == ' ') && !strncmp(at, name, length) && at[length] == '=')
			return at + length + 1;
	return NULL;
}

bool option_text(const char *name, char *buffer, size_t size)
{
	const char *value = option(name);
	size_t i = 0;

	if (!value)
		return false;
	for (; i + 1 < size && value[i] && value[i] != ' '; i++)
		buffer[i] = value[i];
	buffer[i] = 0;
	return true;
}

u64 option_number(const char *name, u64 otherwise)
{
	const char *value = option(name);
	u64 number = 0;

	if (!value || *value < '0' || *value > '9')
		return otherwise;
	for (; *value >= '0' && *value <= '9'; value++)
		number = number * 10 + (u64)(*value - '0');
	return number;
}
