#include "arch/x86_64/cpu/idt.h"
#include "arch/x86_64/cpu/gdt.h"
#include "arch/x86_64/cpu/regs.h"

#define VECTORS	  256u
#define STUB_SIZE 16u /* traps.asm */

/* SDM vol. 3 "64-Bit Mode IDT". */
struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};

#define TYPE_INTERRUPT_GATE 0x8e /* present, DPL 0 */

extern const u8 trap_stubs[];

static struct gate idt[VECTORS] ALIGNED(4096);

static u8 ist_of(u32 vector)
{
	switch (vector) {
	case VECTOR_NMI:
		return IST_NMI;
	case VECTOR_DF:
		return IST_DF;
	case VECTOR_MC:
		return IST_MC;
	default:
		return 0;
	}
}

static void fill(void)
{
	for (u32 vector = 0; vector < VECTORS; vector++) {
		u64 stub = (u64)(trap_stubs + vector * STUB_SIZE);

		idt[vector] = (struct gate){
			.offset_low = (u16)stub,
			.selector = HOST_CS,
			.ist = ist_of(vector),
			.type = TYPE_INTERRUPT_GATE,
			.offset_middle = (u16)(stub >> 16),
			.offset_high = (u32)(stub >> 32),
		};
	}
}

void idt_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} PACKED idtr = {sizeof(idt) - 1, (u64)idt};

	if (idt[0].selector == 0)
		fill();
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

u64 cpu_idt_base(void)
{
	return (u64)idt;
}
