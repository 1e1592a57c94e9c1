/* Accesses that may fault and say so instead of stopping the machine (exception table). */
#ifndef ARCH_CPU_SAFE_H
#define ARCH_CPU_SAFE_H

#include "lib/types.h"

/*
 * The section .fixups (fixups_start to fixups_end): an instruction that may fault, and where to go on if it does. The
 * trap handler of #GP and #PF changes nothing but RIP, so the code there finds every register as it was at the fault
 * (RFLAGS.AC too).
 */
struct fixup {
	u64 fault, resume;
};

/* False: #GP. */
bool rdmsr_safe(u32 msr, u64 *value);
bool wrmsr_safe(u32 msr, u64 value);
/* Read eight bytes of our own address space. False: nothing is mapped there. */
bool peek(u64 address, u64 *value);

#endif
