/* Extended processor state (SDM "Managing State Using the XSAVE Feature Set"), switched at a vCPU switch only. */
#ifndef ARCH_CPU_XSTATE_H
#define ARCH_CPU_XSTATE_H

#include "lib/types.h"

/*
 * Per core: CR4.OSXSAVE, XCR0 = the host's largest (intersection of all cores), IA32_XSS = 0 for good. Without XSAVE:
 * FXSAVE only. To be called when all cores are up (smp_call_all), since each core may make the intersection smaller.
 */
void xstate_init_core(void);
/* Features common to all cores, and the bytes an area needs (64-byte aligned) under the largest XCR0. */
u64 xstate_xcr0_max(void);
u32 xstate_size(void);
/* Fill an area with the processor's initial state. */
void xstate_reset(void *area);
/*
 * Save or load everything under the host's largest XCR0, so that nothing a guest disabled leaks to the next guest. On
 * entry any XCR0 may be live; on return from save it is the host's largest, from restore `xcr0`, the guest's.
 */
void xstate_save(void *area);
void xstate_restore(const void *area, u64 xcr0);

#endif
