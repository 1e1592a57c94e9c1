/* Calls to all cores (cpu.h: smp_call_all): the part smp_start() needs. */
#ifndef ARCH_CPU_SMP_CALL_H
#define ARCH_CPU_SMP_CALL_H

/* Take the kick vector. Boot core, once. */
void smp_call_init(void);

#endif
