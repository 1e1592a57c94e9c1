/*
 * Each core's GDT and TSS, and the IDT that all share (SDM vol. 3 "Protected-Mode Memory Management", "Task Management in
 * 64-Bit Mode"). The selectors are what HOST_*_SELECTOR of a VMCS holds.
 */
#ifndef ARCH_CPU_GDT_H
#define ARCH_CPU_GDT_H

#include "lib/types.h"

#define HOST_CS 0x08 /* 64-bit code, ring 0 */
#define HOST_DS 0x10 /* data, ring 0: SS, DS and ES; FS and GS hold null selectors */
#define HOST_TR 0x18 /* the core's TSS: two entries */

/* Which stack of a core: the argument of map_stack(), and the IST number of the last three. */
enum cpu_stack {
	CPU_STACK_MAIN = 0,
	CPU_STACK_NMI = 1,
	CPU_STACK_DF = 2,
	CPU_STACK_MC = 3,
	CPU_STACKS,
};

/* Linear addresses for this core's VMCS host state. They stay the same from cpu_init_core() on, in every root. */
u64 cpu_gdt_base(void);
u64 cpu_tss_base(void);
u64 cpu_idt_base(void);

#endif
