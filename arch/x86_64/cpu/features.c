#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/cpuid_set.h"

enum cpuid_register { EAX, EBX, ECX, EDX };

struct feature_bit {
	u32 leaf, subleaf;
	enum cpuid_register reg;
	u32 bit;
};

static const struct feature_bit bits[FEATURES] = {
	[FEATURE_X2APIC] = {1, 0, ECX, 21},
	[FEATURE_TSC_DEADLINE] = {1, 0, ECX, 24},
	[FEATURE_XSAVE] = {1, 0, ECX, 26},
	[FEATURE_XSAVES] = {0xd, 1, EAX, 3},
	[FEATURE_SMEP] = {7, 0, EBX, 7},
	[FEATURE_SMAP] = {7, 0, EBX, 20},
	[FEATURE_UMIP] = {7, 0, ECX, 2},
	[FEATURE_NX] = {0x80000001, 0, EDX, 20},
	[FEATURE_1GIB_PAGES] = {0x80000001, 0, EDX, 26},
	[FEATURE_INVARIANT_TSC] = {0x80000007, 0, EDX, 8},
	[FEATURE_RDTSCP] = {0x80000001, 0, EDX, 27},
	[FEATURE_FSGSBASE] = {7, 0, EBX, 0},
	[FEATURE_PCID] = {1, 0, ECX, 17},
	[FEATURE_INVPCID] = {7, 0, EBX, 10},
	[FEATURE_SPEC_CTRL] = {7, 0, EDX, 26},
	[FEATURE_ARCH_CAPABILITIES] = {7, 0, EDX, 29},
	[FEATURE_L1D_FLUSH] = {7, 0, EDX, 28},
	[FEATURE_MD_CLEAR] = {7, 0, EDX, 10},
	[FEATURE_VMX] = {1, 0, ECX, 5},
	[FEATURE_SVM] = {0x80000001, 0, ECX, 2},
};

/*
 * Written by one core at a time, at boot. `has` is what `bits` finds in `machine`: it is asked for at every switch of
 * vCPUs.
 */
static struct cpuid_set machine;
static bool has[FEATURES];

static struct cpuid_leaf read_cpuid(u32 leaf, u32 subleaf)
{
	return cpuid(leaf, subleaf);
}

static bool look_up(const struct feature_bit *f)
{
	struct cpuid_leaf leaf = cpuid_set_get(&machine, f->leaf, f->subleaf);
	const u32 registers[] = {leaf.eax, leaf.ebx, leaf.ecx, leaf.edx};

	return registers[f->reg] >> f->bit & 1;
}

void features_collect(void)
{
	cpuid_set_add(&machine, read_cpuid);
	for (u32 i = 0; i < FEATURES; i++)
		has[i] = look_up(&bits[i]);
}

struct cpuid_leaf features_cpuid(u32 leaf, u32 subleaf)
{
	return cpuid_set_get(&machine, leaf, subleaf);
}

bool cpu_has(enum feature feature)
{
	return has[feature];
}

u32 cpu_physical_address_bits(void)
{
	u32 width = features_cpuid(0x80000008, 0).eax & 0xff;

	return width ? width : 36; /* no such leaf: SDM vol. 3 "Enumeration of Paging Features by CPUID" */
}
