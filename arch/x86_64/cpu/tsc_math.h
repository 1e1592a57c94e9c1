/* The arithmetic of clock measurements. Pure. */
#ifndef ARCH_CPU_TSC_MATH_H
#define ARCH_CPU_TSC_MATH_H

#include "arch/x86_64/cpu/insn.h"
#include "lib/types.h"

/*
 * A counter was read at two moments of the TSC; `reference` is how far it went, at reference_hz. The TSC's rate; 0: it
 * stood still.
 */
u64 tsc_rate(u64 tsc_ticks, u64 reference, u64 reference_hz);
/* The middle of three measurements: one that an SMI spoiled does not count. */
u64 tsc_middle(const u64 rates[3]);
/* Whether another of the three is within 1/denominator of the middle one, so that at most one was spoiled. */
bool tsc_agree(const u64 rates[3], u32 denominator);
/* What CPUID 0x15 claims (SDM vol. 2 "CPUID", leaf 15H); 0: it gives no ratio or no crystal rate. */
u64 tsc_claimed(struct cpuid_leaf leaf15);
/* The claim where it is within 0.5 % of what was measured (it is the more exact of the two), else what was measured. */
u64 tsc_decide(u64 measured, u64 claimed);

/* One exchange with another core: our TSC before and after, the other's in between. */
struct tsc_exchange {
	u64 before, other, after;
};
/* The other's TSC minus ours by the quickest of n exchanges; 0 when its error bound does not tell it from 0. */
s64 tsc_skew(const struct tsc_exchange *exchanges, u32 n, u64 *error);

#endif
