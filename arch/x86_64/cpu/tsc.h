/* The time-stamp counter as our clock: measured at boot (cpu.h: tsc_calibrate), used for delays. */
#ifndef ARCH_CPU_TSC_H
#define ARCH_CPU_TSC_H

#include "lib/types.h"

/* Wait by the TSC; needs tsc_hz. For hardware that asks for a delay, never for a condition. */
void tsc_delay_us(u64 us);

#endif
