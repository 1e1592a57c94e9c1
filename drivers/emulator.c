#include "drivers/emulator.h"
#include "arch/x86_64/cpu/insn.h"
#include "lib/types.h"

/* PCI configuration mechanism #1 (PCI Local Bus specification). */
#define PCI_ADDRESS  0xcf8
#define PCI_DATA     0xcfc
#define PCI_ENABLE   BIT(31)
#define PCI_ID	     0x00
#define PCI_SUBSYSTEM 0x2c

/* Intel's 440FX, which never stood on a board with a 64-bit processor. */
#define HOST_BRIDGE_440FX 0x12378086u
#define CPUID_1_HYPERVISOR BIT(31) /* ECX: set by QEMU and by every hypervisor that says so */

#define BOCHS_SHUTDOWN 0x8900 /* ends Bochs when it gets the letters "Shutdown" */

/* Register of device 0 on bus 0: the host bridge. */
static u32 host_bridge(u32 reg)
{
	out32(PCI_ADDRESS, (u32)PCI_ENABLE | reg);
	return in32(PCI_DATA);
}

/*
 * Bochs emulates a 440FX, gives it no subsystem identity (QEMU's has Red Hat's) and does not set the hypervisor bit.
 */
static bool is_bochs(void)
{
	return !(cpuid(1, 0).ecx & CPUID_1_HYPERVISOR) && host_bridge(PCI_ID) == HOST_BRIDGE_440FX &&
	       host_bridge(PCI_SUBSYSTEM) == 0;
}

void emulator_power_off(void)
{
	if (!is_bochs())
		return;
	for (const char *c = "Shutdown"; *c != '\0'; c++)
		out8(BOCHS_SHUTDOWN, (u8)*c);
}
