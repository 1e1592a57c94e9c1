// guest: 64
/*
 * Single-stepping (TF), over instructions that a hypervisor has to do itself above all: the trap comes right behind
 * each. For both widths. (SDM "Single-Step Exception Condition", "Masking Exceptions and Interrupts When Switching
 * Stacks") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define DR6_BS	   0x4000u
#define VECTOR_INT 0x50

static u32 steps, dr6, next, nop; /* next, nop: where the instruction and the NOP behind it ended */
static word ip[32];

static bool on_step(struct trap_frame *frame)
{
	dr6 = (u32)read_dr6();
	write_dr6(0);
	ip[steps++ % 32] = frame->ip;
	return true;
}

static bool on_int(struct trap_frame *frame UNUSED)
{
	return true;
}

/* Set TF, the instruction, a NOP; then three instructions that clear TF, and are stepped over too. */
#define STEP(instruction)                                                                                             \
	do {                                                                                                          \
		steps = 0;                                                                                            \
		__asm__ volatile("movl $8f, %0; movl $9f, %1; pushf; orl $0x100, (%%" STACK "); popf\n" instruction   \
				 "\n8:	nop\n9:	pushf; andl $~0x100, (%%" STACK "); popf"                             \
				 : "=m"(next), "=m"(nop)                                                              \
				 :                                                                                    \
				 : "eax", "ebx", "ecx", "edx", "memory", "cc");                                       \
	} while (0)

#define CHECK_STEP(name, instruction)                                                                           \
	do {                                                                                                    \
		STEP(instruction);                                                                              \
		check(name, steps == 5 && ip[0] == next && ip[1] == nop && dr6 & DR6_BS);                       \
	} while (0)

CHECKS(stepping)
{
	trap_handle(VECTOR_DB, on_step);
	trap_handle(VECTOR_INT, on_int);
	CHECK_STEP("step-nop", "nop");
	CHECK_STEP("step-cpuid", "cpuid");
	CHECK_STEP("step-in", "in $0x80, %%al");
	CHECK_STEP("step-out", "out %%al, $0x80");
	CHECK_STEP("step-mov-from-cr0", "mov %%cr0, %%" ACCUMULATOR);
	CHECK_STEP("step-mov-from-cr3", "mov %%cr3, %%" ACCUMULATOR);
	CHECK_STEP("step-mov-from-dr7", "mov %%dr7, %%" ACCUMULATOR);
	CHECK_STEP("step-wbinvd", "wbinvd");
	CHECK_STEP("step-rdtsc", "rdtsc");
	CHECK_STEP("step-clts", "clts");
	CHECK_STEP("step-sti", "sti");
	cli();
	STEP("mov $0xc0000080, %%ecx; rdmsr");
	check("step-rdmsr", steps == 6 && ip[1] == next && ip[2] == nop);
	STEP("mov %%ss, %%eax; mov %%eax, %%ss");
	check("step-mov-ss-delays", steps == 5 && ip[0] < next && ip[1] == nop);
	STEP("int $0x50");
	check("step-int-ends-behind-what-follows", steps == 4 && ip[0] == nop);
	STEP("mov $3, %%ecx; 1: loop 1b");
	check("step-loop", steps == 8 && ip[0] == ip[1] && ip[1] == ip[2] && ip[3] == next);
}
