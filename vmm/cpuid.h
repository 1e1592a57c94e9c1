/*
 * What CPUID says in a VM: default deny. A const table lists every leaf and every bit a guest may see; all else reads
 * as 0. Each VM has the result worked out once, so that an exit is a look-up. Pure.
 */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include "arch/x86_64/cpu/features.h"
#include "lib/types.h"

struct vm;
struct vcpu;

#define CPUID_BASIC_LEAVES	0x10u /* 0 .. 0xf */
#define CPUID_EXTENDED_LEAVES	0x10u /* 0x80000000 .. 0x8000000f */
#define CPUID_HYPERVISOR_LEAVES 0x11u /* 0x40000000 .. 0x40000010 */
#define CPUID_KVM_LEAVES	2u    /* 0x40000100, 0x40000101 */
#define CPUID_KVM_BASE		0x40000100u
#define CPUID_HYPERVISOR_BASE	0x40000000u
#define CPUID_EXTENDED_BASE	0x80000000u
#define CPUID_ENTRIES		64u

/* What must be filled in when the instruction runs, since it depends on the vCPU or its registers. */
enum cpuid_fixup {
	CPUID_FIX_NONE,
	CPUID_FIX_FEATURES,
	CPUID_FIX_OSPKE,
	CPUID_FIX_TOPOLOGY,
	CPUID_FIX_XSAVE,
	CPUID_FIX_XSAVEC,
};

struct cpuid_entry {
	struct cpuid_leaf value;
	enum cpuid_fixup fixup;
};

/*
 * A leaf's entries; `repeat`: the last one answers for all higher subleaves, else those read as 0; `plain`: in range,
 * and none of them has a fixup.
 */
struct cpuid_group {
	u8 first, count;
	bool repeat, plain;
};

/* (i) all of it, after creation. */
struct cpuid_policy {
	u64 xcr0;	       /* bits a guest may set in XCR0 */
	u64 cr4;	       /* likewise in CR4 */
	u32 physical_bits;     /* MAXPHYADDR */
	bool intel;	       /* out of range: the highest basic leaf answers, not 0 */
	bool has_nx, has_gib_pages, has_ffxsr, has_tsc_aux, has_tsc_adjust, has_capabilities;
	/* Leaves with one entry, in range and without a fixup: what it holds is the answer. NULL: think about it. */
	const struct cpuid_leaf *plain[CPUID_BASIC_LEAVES];
	u32 entry_count;
	struct cpuid_group basic[CPUID_BASIC_LEAVES];
	struct cpuid_group extended[CPUID_EXTENDED_LEAVES];
	struct cpuid_group hypervisor[CPUID_HYPERVISOR_LEAVES];
	struct cpuid_group kvm[CPUID_KVM_LEAVES];
	struct cpuid_entry entry[CPUID_ENTRIES];
	u32 xsave_offset[64], xsave_size[64]; /* of the components in xcr0 */
	u64 xsave_align; /* components aligned to 64 bytes in the compacted format */
};

/* What features_cpuid() says, for tests to replace. */
typedef struct cpuid_leaf (*cpuid_source_t)(u32 leaf, u32 subleaf);

/* Work out a policy; `limit` may be NULL (engine_ops.limit_cpuid). */
void cpuid_build(struct cpuid_policy *policy, cpuid_source_t source, u64 xcr0_max, u32 vcpus,
		 void (*limit)(u32 leaf, u32 subleaf, struct cpuid_leaf *value));
/* What the instruction answers on this vCPU now. */
struct cpuid_leaf cpuid_answer(struct vcpu *vcpu, u32 leaf, u32 subleaf);
/* Whether the table lets a guest see this bit at all (register 0..3: EAX..EDX). For tests. */
bool cpuid_listed(u32 leaf, u32 subleaf, u32 reg, u32 bit);

const struct cpuid_policy *cpuid_create(struct vm *vm);
void cpuid_destroy(const struct cpuid_policy *policy);

#endif
