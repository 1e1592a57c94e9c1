/*
 * GDT, TSS and IDT of a 64-bit guest. (SDM "Segmentation in IA-32e Mode", "Task Management in 64-bit Mode", "64-Bit
 * Mode IDT")
 */
#include "guests/lib/segments.h"

const u8 segments_code_flags = 0xa; /* 4 KiB granularity, 64-bit */

void idt_gate(u8 vector, u16 selector, const void *target, u8 type, u8 dpl)
{
	u64 offset = (u64)target;
	u64 gate[2] = {(offset >> 16 & 0xffff) << 48 | (u64)(0x80u | (u32)dpl << 5 | type) << 40 | (u64)selector << 16 |
			       (offset & 0xffff),
		       offset >> 32};

	memcpy(idt + vector * 16, gate, sizeof(gate));
}

void call_gate(u32 slot, u16 selector, const void *target, u8 count UNUSED, u8 dpl)
{
	u64 offset = (u64)target;

	gdt[slot] = (offset >> 16 & 0xffff) << 48 | (u64)(0x8cu | (u32)dpl << 5) << 40 | (u64)selector << 16 |
		    (offset & 0xffff);
	gdt[slot + 1] = offset >> 32;
}

void tss_stack(int ring, word top)
{
	memcpy(tss + 4 + 8 * ring, &top, sizeof(top));
}

void segments_load_code(void)
{
	__asm__ volatile("pushq %0; pushq $1f; lretq\n1:" : : "i"(CODE(0)) : "memory");
}
