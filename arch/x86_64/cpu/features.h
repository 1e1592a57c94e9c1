/* What all cores have in common (hybrid machines differ), read by CPUID once per core at boot. */
#ifndef ARCH_CPU_FEATURES_H
#define ARCH_CPU_FEATURES_H

#include "arch/x86_64/cpu/insn.h"
#include "lib/types.h"

/* Collect this core's CPUID into the intersection: cpu_init_core() does, on every core, one at a time. */
void features_collect(void);
/*
 * The leaf as every core answers it (feature bits ANDed; identification leaves from the boot core). Leaves that
 * cpuid_set.c does not list: 0.
 */
struct cpuid_leaf features_cpuid(u32 leaf, u32 subleaf);

enum feature {
	FEATURE_X2APIC,
	FEATURE_TSC_DEADLINE,
	FEATURE_XSAVE,
	FEATURE_XSAVES,
	FEATURE_SMEP,
	FEATURE_SMAP,
	FEATURE_UMIP,
	FEATURE_NX,
	FEATURE_1GIB_PAGES,
	FEATURE_INVARIANT_TSC,
	FEATURE_RDTSCP,
	FEATURE_FSGSBASE,
	FEATURE_PCID,
	FEATURE_INVPCID,
	FEATURE_SPEC_CTRL,	   /* IBRS and IBPB */
	FEATURE_ARCH_CAPABILITIES,
	FEATURE_L1D_FLUSH,
	FEATURE_MD_CLEAR,
	FEATURE_VMX,
	FEATURE_SVM,
	FEATURES,
};

bool cpu_has(enum feature feature);
u32 cpu_physical_address_bits(void);

#endif
