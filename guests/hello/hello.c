// guest: 32
/* Says hello, and everything that it was told and can see: the first guest to run anywhere. */
#include "guests/lib/guest.h"

static void print_vendor(void)
{
	struct cpuid_leaf leaf = cpuid(0, 0);

	print("CPU vendor ");
	put_bytes(&leaf.ebx, 4);
	put_bytes(&leaf.edx, 4);
	put_bytes(&leaf.ecx, 4);
	print(", highest leaf %u\n", leaf.eax);
}

static void print_memory(void)
{
	for (u32 i = 0; i < boot.range_count; i++)
		print("memory 0x%09llx + 0x%09llx %s\n", (unsigned long long)boot.range[i].base,
		      (unsigned long long)boot.range[i].size, boot.range[i].type == RANGE_RAM ? "usable" : "reserved");
	print("%llu KiB of RAM\n", (unsigned long long)boot_ram_size() / 1024);
}

/* A module's first line; modules are text in our tests. */
static void print_module(const struct boot_module *module)
{
	print("module \"%s\", %lu bytes: ", module->arguments, module->size);
	for (word i = 0; i < module->size && i < 64 && module->start[i] >= ' ' && module->start[i] < 127; i++)
		put_char((char)module->start[i]);
	print("\n");
}

int guest_main(void)
{
	print("Hello from a guest of %lu bits, booted by %s.\n", (word)sizeof(word) * 8, boot.protocol);
	print("command line: %s\n", boot.command_line);
	print_vendor();
	print("hypervisor: %s\n", *hypervisor_signature() ? hypervisor_signature() : "none");
	if (on_trivisor())
		print("hypercall ABI version %ld\n", hypercall(HYPERCALL_VERSION, 0, 0, 0, 0));
	print_memory();
	for (u32 i = 0; i < boot.module_count; i++)
		print_module(&boot.module[i]);
	return 0;
}
