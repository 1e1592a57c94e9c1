/*
 * GDT, TSS and IDT of a 32-bit guest. (SDM "Protected-Mode Memory Management", "Task Management", "Interrupt Descriptor
 * Table")
 */
#include "guests/lib/segments.h"

const u8 segments_code_flags = 0xc; /* 4 KiB granularity, 32-bit */

void idt_gate(u8 vector, u16 selector, const void *target, u8 type, u8 dpl)
{
	u32 offset = (u32)target;
	u64 gate = (u64)(offset >> 16) << 48 | (u64)(0x80u | (u32)dpl << 5 | type) << 40 | (u64)selector << 16 |
		   (offset & 0xffff);

	memcpy(idt + vector * 8, &gate, sizeof(gate));
}

void call_gate(u32 slot, u16 selector, const void *target, u8 count, u8 dpl)
{
	u32 offset = (u32)target;

	gdt[slot] = (u64)(offset >> 16) << 48 | (u64)(0x8cu | (u32)dpl << 5) << 40 | (u64)(count & 31u) << 32 |
		    (u64)selector << 16 | (offset & 0xffff);
}

void tss_stack(int ring, word top)
{
	u32 pair[2] = {top, DATA(ring)};

	memcpy(tss + 4 + 8 * ring, pair, sizeof(pair));
}

void segments_load_code(void)
{
	__asm__ volatile("ljmp %0, $1f\n1:" : : "i"(CODE(0)));
}
