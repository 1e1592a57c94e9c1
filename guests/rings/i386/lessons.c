/* The lessons of 32-bit protected mode, and the one that only it has: parameters copied by a call gate. */
#include "guests/rings/rings.h"

#define SLOT_GATE SLOT_FREE
#define PARAMETER 0x1234

/* What the processor pushed on the inner stack. */
struct gate_frame {
	u32 ip, cs, parameter, sp, ss;
};

static struct gate_frame seen;
static u32 sp_before, sp_after;

void parameter_entry(void);
void parameter_seen(const struct gate_frame *frame);

void parameter_seen(const struct gate_frame *frame)
{
	seen = *frame;
}

static word call_with_parameter(word selector)
{
	static struct { /* static: PUSH moves the stack pointer that a local one is addressed by */
		u32 offset;
		u16 selector;
	} __attribute__((packed)) target;

	target.selector = (u16)selector;
	__asm__ volatile("mov %%esp, %0; push %3; lcall *%2; mov %%esp, %1"
			 : "=&b"(sp_before), "=&S"(sp_after)
			 : "m"(target), "i"(PARAMETER)
			 : "memory", "cc");
	return 0;
}

void lesson_parameters(void)
{
	call_gate(SLOT_GATE, CODE(0), (const void *)parameter_entry, 1, 3);
	attempt("CALL of a gate with a count of 1, after PUSH 0x1234:", 3, call_with_parameter,
		SELECTOR(SLOT_GATE) | 3);
	print("  on the inner stack: SS 0x%x, ESP 0x%x, parameter 0x%x, CS 0x%x\n", seen.ss, seen.sp, seen.parameter,
	      seen.cs);
	print("  RET 4 freed it on both stacks: ESP before the PUSH 0x%x, after the CALL 0x%x\n", sp_before, sp_after);
}

static void long_mode(void)
{
	print("  The 64-bit half of this file takes over.\n\n");
	second_half();
}

const struct lesson lessons[] = {
	{"The four rings, each with a code and a data segment", lesson_rings},
	{"Call gates: 3 to 0, 3 to 1 to 0, and back", lesson_call_gates},
	{"Call gates that copy parameters", lesson_parameters},
	{"Conforming code segments", lesson_conforming},
	{"CPL, RPL and DPL: data and stack segments", lesson_data_rules},
	{"CPL, RPL and DPL: code segments", lesson_code_rules},
	{"CPL, RPL and DPL: call gates", lesson_gate_rules},
	{"Returns", lesson_returns},
	{"Interrupt and trap gates", lesson_interrupt_gates},
	{"IOPL and the I/O permission bitmap", lesson_io},
	{"SYSENTER and SYSEXIT", lesson_sysenter},
	{"SYSCALL and SYSRET", lesson_syscall},
	{"Pages: user and supervisor", lesson_pages},
	{"On to long mode", long_mode},
	{NULL, NULL},
};
