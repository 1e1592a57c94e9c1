// guest: 64
/* Reserved bits and impossible combinations in the control registers: all #GP(0). (SDM "Control Registers")
 * Oracle: Bochs; QEMU TCG takes them and then does not run on. */
#include "guests/lib/guest.h"

#define CR0_PE BIT(0)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR4_PAE BIT(5)
#define CR4_PCIDE BIT(17)

/* What was accepted all the same is taken back, so that it does not spoil the next check. */
#define REFUSED(name, ...)                                              \
	do {                                                            \
		word cr0 = read_cr0(), cr3 = read_cr3(), cr4 = read_cr4(); \
		expect_fault(name, VECTOR_GP, 0, __VA_ARGS__);          \
		write_cr4(cr4);                                         \
		write_cr3(cr3);                                         \
		write_cr0(cr0);                                         \
	} while (0)

/* A check that nothing comes back from where it is not refused: QEMU TCG is such a place. */
#define RISKED(name, ...)                                                               \
	do {                                                                            \
		if (strncmp(hypervisor_signature(), "TCG", 3))                          \
			REFUSED(name, __VA_ARGS__);                                     \
		else                                                                    \
			check_skip(name, "QEMU TCG accepts it or hangs, and then nothing runs"); \
	} while (0)

static void write_cr8(word value)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(value));
}

CHECKS(bad_cr)
{
	REFUSED("cr0-upper-half", write_cr0(read_cr0() | BIT(32)));
	REFUSED("cr0-nw-without-cd", write_cr0((read_cr0() & ~CR0_CD) | CR0_NW));
	RISKED("cr0-pg-without-pe", write_cr0(read_cr0() & ~CR0_PE));
	RISKED("cr3-upper-bits", write_cr3(read_cr3() | BIT(62)));
	RISKED("cr4-pae-off-in-long-mode", write_cr4(read_cr4() & ~CR4_PAE));
	RISKED("cr4-reserved-15", write_cr4(read_cr4() | BIT(15)));
	RISKED("cr4-reserved-31", write_cr4(read_cr4() | BIT(31)));
	RISKED("cr4-upper-half", write_cr4(read_cr4() | BIT(40)));
	RISKED("cr4-pcide-with-cr3-low-bits", write_cr3(read_cr3() | 8); write_cr4(read_cr4() | CR4_PCIDE));
	REFUSED("cr8-reserved", write_cr8(16));
}
