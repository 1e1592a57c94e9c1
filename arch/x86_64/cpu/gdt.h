/*
 * Each core's GDT and TSS, and the IDT that all share (SDM vol. 3 "Protected-Mode Memory Management", "Task Management
 * in 64-Bit Mode"). The selectors are what HOST_*_SELECTOR of a VMCS holds.
 */
#ifndef ARCH_CPU_GDT_H
#define ARCH_CPU_GDT_H

#include "lib/types.h"

#define HOST_CS 0x08 /* 64-bit code, ring 0 */
#define HOST_DS 0x10 /* data, ring 0: SS, DS and ES; FS and GS hold null selectors */
#define HOST_TR 0x18 /* the core's TSS: two entries */

/* Linear addresses for this core's VMCS host state. They stay the same from cpu_init_core() on, in every root. */
u64 cpu_gdt_base(void);
u64 cpu_tss_base(void);
u64 cpu_idt_base(void);

/*
 * Load the core's GDT and TSS. The three stacks (tops, 16-byte aligned) serve NMI, #DF and #MC; `percpu` is left at the
 * top of each, so that their handlers find their core whatever GS holds. Again with other stacks: they are used from
 * the next such trap on.
 */
struct percpu;
struct ist_stacks {
	void *nmi, *df, *mc;
};
void gdt_init_core(struct percpu *core, const struct ist_stacks *stacks);
/* IST numbers in IDT gates. */
enum { IST_NMI = 1, IST_DF = 2, IST_MC = 3 };


#endif
