/* Accesses that may fault and say so instead of stopping the machine (exception table). */
#ifndef ARCH_CPU_SAFE_H
#define ARCH_CPU_SAFE_H

#include "lib/types.h"

/* False: #GP. */
bool rdmsr_safe(u32 msr, u64 *value);
bool wrmsr_safe(u32 msr, u64 value);

#endif
