// guest: 64
/* The 64-bit hello: booted by PVH in 32-bit protected mode, took itself to long mode. */
#include "guests/lib/guest.h"

#define MSR_EFER 0xc0000080u

int guest_main(void)
{
	print("Hello from long mode: %lu-bit words, booted by %s.\n", (word)sizeof(word) * 8, boot.protocol);
	print("command line: %s\n", boot.command_line);
	print("CR0 0x%lx CR3 0x%lx CR4 0x%lx EFER 0x%llx\n", read_cr0(), read_cr3(), read_cr4(),
	      (unsigned long long)rdmsr(MSR_EFER));
	print("%llu KiB of RAM, %u modules\n", (unsigned long long)boot_ram_size() / 1024, boot.module_count);
	print("hypervisor: %s\n", *hypervisor_signature() ? hypervisor_signature() : "none");
	return 0;
}
