/* The HPET's main counter and legacy routing (IA-PC HPET Specification "Register Model"). */
#ifndef ARCH_CPU_HPET_H
#define ARCH_CPU_HPET_H

#include "lib/types.h"

/* Map it (pa 0, or no HPET there: false) and let its counter run. Boot core. */
bool hpet_open(paddr_t pa);
u64 hpet_hz(void);
/* The low 32 bits: all that a 32-bit counter has. */
u32 hpet_read(void);
/* No legacy routing, no timer interrupts. */
void hpet_quiet(void);

#endif
