/*
 * The lessons of long mode, and the one that only it has: the interrupt stack table. What is left there of rings 1 and
 * 2: code runs in them and every check of CPL, RPL and DPL still holds, but segments have neither base nor limit and
 * pages know only user and supervisor, so nothing keeps ring 1 or 2 from ring 0's memory.
 */
#include "guests/rings/rings.h"

#define VECTOR_PROBE 0x42
#define TSS_IST1     36 /* SDM "TSS Format in 64-bit mode" */
#define GATE_SIZE    16
#define GATE_IST     4

static struct view inside;
static u8 stack[2048] ALIGNED(16);

static bool seen(struct trap_frame *frame UNUSED)
{
	look(&inside);
	return true;
}

static void interrupt_with_ist(u8 ist)
{
	idt_gate(VECTOR_PROBE, CODE(0), (const void *)trap_stubs[VECTOR_PROBE], GATE_INTERRUPT, 3);
	idt[VECTOR_PROBE * GATE_SIZE + GATE_IST] = ist;
	__asm__ volatile("int %0" : : "i"(VECTOR_PROBE) : "memory");
}

void lesson_ist(void)
{
	word top = (word)(stack + sizeof(stack));

	memcpy(tss + TSS_IST1, &top, sizeof(top));
	trap_handle(VECTOR_PROBE, seen);
	interrupt_with_ist(0);
	print_view("INT in ring 0, no IST: same stack", &inside);
	interrupt_with_ist(1);
	print_view("INT in ring 0, IST 1: stack switched", &inside);
	print("  IST 1 is 0x%lx\n", top);
	trap_handle(VECTOR_PROBE, NULL);
}

const struct lesson lessons[] = {
	{"The four rings in long mode", lesson_rings},
	{"Call gates: 3 to 0, 3 to 1 to 0, and back (the new SS is null)", lesson_call_gates},
	{"Conforming code segments", lesson_conforming},
	{"CPL, RPL and DPL: data and stack segments", lesson_data_rules},
	{"CPL, RPL and DPL: code segments", lesson_code_rules},
	{"CPL, RPL and DPL: call gates", lesson_gate_rules},
	{"Returns", lesson_returns},
	{"Interrupt and trap gates", lesson_interrupt_gates},
	{"The interrupt stack table", lesson_ist},
	{"IOPL and the I/O permission bitmap", lesson_io},
	{"SYSENTER and SYSEXIT", lesson_sysenter},
	{"SYSCALL and SYSRET", lesson_syscall},
	{"Pages: user and supervisor; rings 1 and 2 are supervisors", lesson_pages},
	{NULL, NULL},
};
