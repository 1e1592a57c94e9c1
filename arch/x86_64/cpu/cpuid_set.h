/*
 * CPUID as all cores answer it: leaf by leaf, a rule for each register says how the answers of two cores become one.
 * Leaves that no row of the table names are zero. Pure; features.c owns the machine's set.
 */
#ifndef ARCH_CPU_CPUID_SET_H
#define ARCH_CPU_CPUID_SET_H

#include "arch/x86_64/cpu/insn.h"
#include "lib/types.h"

#define CPUID_SET_LEAVES 96u

struct cpuid_set {
	u32 cores;
	struct cpuid_leaf leaves[CPUID_SET_LEAVES];
};

/* Add a core, whose answers `read` gives. The first one's are taken as they are. */
void cpuid_set_add(struct cpuid_set *set, struct cpuid_leaf (*read)(u32 leaf, u32 subleaf));
struct cpuid_leaf cpuid_set_get(const struct cpuid_set *set, u32 leaf, u32 subleaf);

#endif
