/* The table of vmm/cpuid.c: every bit of CPUID that a guest may see. Part of that file, kept apart for being data. */
#ifndef VMM_CPUID_TABLE_H
#define VMM_CPUID_TABLE_H

#include "vmm/cpuid.h"

/* What shapes a leaf once at VM creation, beyond the mask. */
enum cpuid_shape {
	SHAPE_MASK,	/* the host's value, masked */
	SHAPE_MAX_BASIC,
	SHAPE_MAX_EXTENDED,
	SHAPE_FEATURES, /* leaf 1: threads in the package, the hypervisor bit */
	SHAPE_CACHE,	/* leaf 4: who shares the cache */
	SHAPE_MAX_SUBLEAF,
	SHAPE_TOPOLOGY,
	SHAPE_XSAVE,
	SHAPE_XSAVE_COMPONENT,
	SHAPE_ADDRESS_SIZES,
	SHAPE_SIGNATURE,
	SHAPE_ABI,
	SHAPE_POWER,	 /* leaf 6: the local APIC's timer never stops */
	SHAPE_FREQUENCY, /* leaf 0x40000010: TSC and local APIC timer in kHz */
	SHAPE_KVM,
	SHAPE_KVM_FEATURES,
};

/* A row for one subleaf, or for `count` in sequence. */
struct cpuid_rule {
	u32 leaf;
	u8 subleaf, count;
	u8 shape; /* enum cpuid_shape */
	u8 fixup; /* enum cpuid_fixup */
	bool repeat;
	u32 eax, ebx, ecx, edx; /* bits a guest may see of what the host has */
};

extern const struct cpuid_rule cpuid_rules[];
extern const u32 cpuid_rule_count;

#endif
