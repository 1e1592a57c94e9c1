/* The IDT: one for all cores, 256 interrupt gates to the stubs of traps.asm. */
#ifndef ARCH_CPU_IDT_H
#define ARCH_CPU_IDT_H

/* Load it on this core; the first caller fills it. */
void idt_load(void);

#endif
