/*
 * Interrupt gates, trap gates, and INT n from rings that may not use them. (SDM "Calling of an Exception- or
 * Interrupt-Handler Procedure", "Protection of Exception- and Interrupt-Handler Procedures")
 */
#include "guests/rings/rings.h"

#define VECTOR_INTERRUPT 0x40
#define VECTOR_TRAP	 0x41
#define VECTOR_PROBE	 0x42

static struct view before, inside, after;

static bool seen(struct trap_frame *frame UNUSED)
{
	look(&inside);
	return true;
}

static word int_interrupt(word unused UNUSED)
{
	look(&before);
	__asm__ volatile("int %0" : : "i"(VECTOR_INTERRUPT) : "memory");
	look(&after);
	return 0;
}

static word int_trap(word unused UNUSED)
{
	look(&before);
	__asm__ volatile("int %0" : : "i"(VECTOR_TRAP) : "memory");
	look(&after);
	return 0;
}

static word int_probe(word unused UNUSED)
{
	__asm__ volatile("int %0" : : "i"(VECTOR_PROBE) : "memory");
	return 0;
}

static word int3(word unused UNUSED)
{
	__asm__ volatile("int3");
	return 0;
}

static void print_views(void)
{
	print_view("before, in ring 3", &before);
	print_view("inside the handler", &inside);
	print_view("after, in ring 3", &after);
}

static void probe_table(void)
{
	print("  INT n      gate DPL 0  1    2    3\n");
	for (int ring = 0; ring < 4; ring++) {
		print("  from ring %d      ", ring);
		for (u8 dpl = 0; dpl < 4; dpl++) {
			idt_gate(VECTOR_PROBE, CODE(0), (const void *)trap_stubs[VECTOR_PROBE], GATE_INTERRUPT, dpl);
			faults_in_ring(ring, int_probe, 0, FLAG_FIXED, NULL);
			print(" %-4s", outcome());
		}
		print("\n");
	}
}

void lesson_interrupt_gates(void)
{
	trap_handle(VECTOR_INTERRUPT, seen);
	trap_handle(VECTOR_TRAP, seen);
	trap_handle(VECTOR_PROBE, seen);
	idt_gate(VECTOR_INTERRUPT, CODE(0), (const void *)trap_stubs[VECTOR_INTERRUPT], GATE_INTERRUPT, 3);
	idt_gate(VECTOR_TRAP, CODE(0), (const void *)trap_stubs[VECTOR_TRAP], GATE_TRAP, 3);
	faults_in_ring(3, int_interrupt, 0, FLAG_FIXED | FLAG_IF, NULL);
	print("  INT through an interrupt gate: the handler runs with interrupts off:\n");
	print_views();
	faults_in_ring(3, int_trap, 0, FLAG_FIXED | FLAG_IF, NULL);
	print("  INT through a trap gate: the handler runs with interrupts as they were:\n");
	print_views();
	print("  The gate's DPL says who may use it by INT; exceptions and interrupts do not ask:\n");
	probe_table();
	idt_gate(VECTOR_PROBE, CODE(0), (const void *)trap_stubs[VECTOR_PROBE], GATE_INTERRUPT, 2);
	attempt("INT 0x42 from ring 3, gate DPL 2", 3, int_probe, 0);
	attempt("INT3 from ring 3, gate DPL 0: the error names vector 3", 3, int3, 0);
	idt_gate(VECTOR_PROBE, CODE(0) + 0x400, (const void *)trap_stubs[VECTOR_PROBE], GATE_INTERRUPT, 3);
	attempt("INT 0x42 whose gate names no code segment", 3, int_probe, 0);
	idt_gate(VECTOR_PROBE, CODE(3), (const void *)trap_stubs[VECTOR_PROBE], GATE_INTERRUPT, 3);
	attempt("INT 0x42 from ring 0 whose gate leads outwards", 0, int_probe, 0);
	lidt(&(struct table_pointer){8 * sizeof(word) / 4 * VECTOR_PROBE - 1, idt_pointer.base});
	attempt("INT 0x42 beyond the limit of the IDT", 0, int_probe, 0);
	lidt(&idt_pointer);
	trap_handle(VECTOR_INTERRUPT, NULL);
	trap_handle(VECTOR_TRAP, NULL);
	trap_handle(VECTOR_PROBE, NULL);
}
