// guest: 32
/*
 * Exceptions while an exception or interrupt is delivered: error codes that name the IDT, the EXT bit, and double
 * faults. (SDM "Error Code", "Interrupt 8—Double Fault Exception (#DF)") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define VECTOR_INT   0x50
#define PRESENT	     BIT(47)
#define EXT	     1
#define OF_IDT(vector) ((vector) * 8 + 2)

static void gate_absent(u8 vector)
{
	((u64 *)(void *)idt)[vector] &= ~PRESENT;
}

static void gate_to(u8 vector, u16 selector)
{
	idt_gate(vector, selector, (const void *)trap_stubs[vector], GATE_INTERRUPT, 3);
}

static bool int_13_seen(struct trap_frame *frame)
{
	return frame->error == 0; /* the stub's own: had the INT pushed a code, it would be the frame that is off */
}

CHECKS(delivery)
{
	gate_absent(VECTOR_INT);
	expect_fault("int-gate-absent", VECTOR_NP, OF_IDT(VECTOR_INT), __asm__ volatile("int $0x50"));
	idt_gate(VECTOR_INT, CODE(0), NULL, 0, 0);
	expect_fault("int-gate-type", VECTOR_GP, OF_IDT(VECTOR_INT), __asm__ volatile("int $0x50"));
	gate_to(VECTOR_INT, 0);
	expect_fault("int-gate-cs-null", VECTOR_GP, 0, __asm__ volatile("int $0x50"));
	gate_to(VECTOR_INT, DATA(0));
	expect_fault("int-gate-cs-data", VECTOR_GP, DATA(0), __asm__ volatile("int $0x50"));
	gate_absent(VECTOR_BP);
	expect_fault("int3-gate-absent", VECTOR_NP, OF_IDT(VECTOR_BP), __asm__ volatile("int3"));
	gate_absent(VECTOR_UD);
	expect_fault("ud-gate-absent-ext", VECTOR_NP, OF_IDT(VECTOR_UD) | EXT, __asm__ volatile("ud2"));
	gate_to(VECTOR_UD, 0);
	expect_fault("ud-gate-cs-null-ext", VECTOR_GP, EXT, __asm__ volatile("ud2"));
	gate_to(VECTOR_UD, DATA(0));
	expect_fault("ud-gate-cs-data-ext", VECTOR_GP, DATA(0) | EXT, __asm__ volatile("ud2"));
	idt_gate(VECTOR_GP, CODE(0), (const void *)trap_stubs[VECTOR_INT], GATE_INTERRUPT, 0);
	trap_handle(VECTOR_INT, int_13_seen);
	expect_none("int-13-pushes-no-error", __asm__ volatile("int $13"));
	gate_absent(VECTOR_GP);
	expect_fault("df-gp-then-np", VECTOR_DF, 0, __asm__ volatile("mov %0, %%ds" : : "r"(0xfff8)));
	gate_absent(VECTOR_DE);
	expect_fault("df-de-then-np", VECTOR_DF, 0, __asm__ volatile("div %%ecx" : : "c"(0), "a"(1), "d"(0) : "cc"));
}
