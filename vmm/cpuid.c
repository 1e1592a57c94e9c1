#include "vmm/cpuid.h"

#include "arch/x86_64/cpu/xstate.h"
#include "core/pool.h"
#include "core/time.h"
#include "lib/string.h"
#include "vmm/cpuid_account.h"
#include "vmm/cpuid_table.h"
#include "vmm/devices/vlapic.h"
#include "vmm/handlers.h"
#include "vmm/hypercall_abi.h"
#include "vmm/kvmclock.h"
#include "vmm/msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define MAX_BASIC    0xdu
#define MAX_EXTENDED 0x80000008u

#define EDX_APIC       (1u << 9)
#define ECX_X2APIC     (1u << 21)
#define ECX_DEADLINE   (1u << 24)
#define EAX_ARAT       (1u << 2)
#define ECX_XSAVE      BIT(26)
#define ECX_OSXSAVE    (1u << 27)
#define ECX_HYPERVISOR (1u << 31)
#define EDX_HTT	       (1u << 28)
#define LEAF7_OSPKE    (1u << 4)
/* 4-level EPT and nested tables reach this far. */
#define PHYSICAL_BITS_MAX 48u
#define LINEAR_BITS	  48u
#define APIC_BASE_ENABLE  BIT(11)

/* Where the legacy area and the header of an XSAVE image end (SDM "XSAVE Area"). */
#define XSAVE_EXTENDED 576u
#define XCR0_LEGACY    (XCR0_X87 | XCR0_SSE)
/* States we know how to give a guest. */
#define XCR0_KNOWN (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_OPMASK | XCR0_ZMM_HI | XCR0_HI_ZMM | XCR0_PKRU)

struct build {
	struct cpuid_policy *policy;
	u32 vcpus;
	u32 id_bits; /* of the vCPUs' APIC IDs */
};

static u32 id_bits(u32 vcpus)
{
	u32 bits = 0;

	while ((1u << bits) < vcpus)
		bits++;
	return bits;
}

static void shape_features(const struct build *build, struct cpuid_leaf *value)
{
	value->ebx |= build->vcpus << 16;
	value->ecx |= ECX_HYPERVISOR | ECX_X2APIC | ECX_DEADLINE;
	value->edx |= EDX_APIC;
	if (build->vcpus > 1)
		value->edx |= EDX_HTT;
}

/* One package, each vCPU a core of its own: the first levels are private, from the third on all share. */
static void shape_cache(const struct build *build, struct cpuid_leaf *value)
{
	u32 level = value->eax >> 5 & 7;
	u32 ids = (1u << build->id_bits) - 1;

	if (!(value->eax & 0x1f)) { /* no more caches */
		*value = (struct cpuid_leaf){0, 0, 0, 0};
		return;
	}
	value->eax |= (level >= 3 ? ids : 0) << 14 | ids << 26;
}

/* Levels 0: threads (one a core), 1: cores, 2: none. ECX 7:0 and EDX are filled in at the exit. */
static void shape_topology(const struct build *build, u32 subleaf, struct cpuid_leaf *value)
{
	if (subleaf == 0)
		*value = (struct cpuid_leaf){.eax = 0, .ebx = 1, .ecx = 1 << 8};
	else if (subleaf == 1)
		*value = (struct cpuid_leaf){.eax = build->id_bits, .ebx = build->vcpus, .ecx = 2 << 8};
}

static u32 xsave_size(const struct cpuid_policy *policy, u64 xcr0)
{
	u32 size = XSAVE_EXTENDED;

	for (u64 left = xcr0 & policy->xcr0 & ~XCR0_LEGACY; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);

		size = MAX(size, policy->xsave_offset[i] + policy->xsave_size[i]);
	}
	return size;
}

/* SDM "Compacted Form": components follow one another, some aligned to 64 bytes. */
static u32 xsavec_size(const struct cpuid_policy *policy, u64 xcr0)
{
	u32 size = XSAVE_EXTENDED;

	for (u64 left = xcr0 & policy->xcr0 & ~XCR0_LEGACY; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);

		if (policy->xsave_align & BIT(i))
			size = ALIGN_UP(size, 64u);
		size += policy->xsave_size[i];
	}
	return size;
}

static void shape_xsave(const struct build *build, struct cpuid_leaf *value)
{
	const struct cpuid_policy *policy = build->policy;

	value->eax = (u32)policy->xcr0;
	value->ecx = policy->xcr0 ? xsave_size(policy, policy->xcr0) : 0;
	value->edx = (u32)(policy->xcr0 >> 32);
}

static void shape_component(const struct build *build, u32 subleaf, struct cpuid_leaf *value)
{
	if (!(build->policy->xcr0 & BIT(subleaf)))
		*value = (struct cpuid_leaf){0, 0, 0, 0};
}

static void shape_address_sizes(const struct build *build, struct cpuid_leaf *value)
{
	value->eax = build->policy->physical_bits | LINEAR_BITS << 8;
	/* AMD's topology: cores in the package less one, and how many bits of the APIC ID they take. */
	if (!build->policy->intel)
		value->ecx = (build->vcpus - 1) | build->id_bits << 12;
}

static void shape_signature(struct cpuid_leaf *value)
{
	value->eax = CPUID_HYPERVISOR_BASE + CPUID_HYPERVISOR_LEAVES - 1;
	memcpy(&value->ebx, TRIVISOR_SIGNATURE, 4);
	memcpy(&value->ecx, TRIVISOR_SIGNATURE + 4, 4);
	memcpy(&value->edx, TRIVISOR_SIGNATURE + 8, 4);
}

static void shape_frequency(struct cpuid_leaf *value)
{
	value->eax = (u32)(tsc_hz / 1000);
	value->ebx = LAPIC_TIMER_HZ / 1000;
}

static void shape_kvm(struct cpuid_leaf *value)
{
	value->eax = CPUID_KVM_BASE + CPUID_KVM_LEAVES - 1;
	memcpy(&value->ebx, KVM_SIGNATURE, 4);
	memcpy(&value->ecx, KVM_SIGNATURE + 4, 4);
	memcpy(&value->edx, KVM_SIGNATURE + 8, 4);
}

static void shape(const struct build *build, const struct cpuid_rule *rule, u32 subleaf, struct cpuid_leaf *value)
{
	switch ((enum cpuid_shape)rule->shape) {
	case SHAPE_MASK:
		return;
	case SHAPE_MAX_BASIC:
		value->eax = MIN(value->eax, MAX_BASIC);
		return;
	case SHAPE_MAX_EXTENDED:
		value->eax = MIN(value->eax, MAX_EXTENDED);
		return;
	case SHAPE_FEATURES:
		shape_features(build, value);
		return;
	case SHAPE_CACHE:
		shape_cache(build, value);
		return;
	case SHAPE_MAX_SUBLEAF:
		value->eax = MIN(value->eax, 1u);
		return;
	case SHAPE_TOPOLOGY:
		shape_topology(build, subleaf, value);
		return;
	case SHAPE_XSAVE:
		shape_xsave(build, value);
		return;
	case SHAPE_XSAVE_COMPONENT:
		shape_component(build, subleaf, value);
		return;
	case SHAPE_ADDRESS_SIZES:
		shape_address_sizes(build, value);
		return;
	case SHAPE_SIGNATURE:
		shape_signature(value);
		return;
	case SHAPE_ABI:
		value->eax = HYPERCALL_ABI_VERSION;
		return;
	case SHAPE_POWER:
		value->eax = EAX_ARAT;
		return;
	case SHAPE_FREQUENCY:
		shape_frequency(value);
		return;
	case SHAPE_KVM:
		shape_kvm(value);
		return;
	case SHAPE_KVM_FEATURES:
		value->eax = (u32)(KVM_FEATURE_CLOCK_OLD | KVM_FEATURE_NO_IO_DELAY | KVM_FEATURE_CLOCK |
				   KVM_FEATURE_STABLE_TSC);
		return;
	}
}

static struct cpuid_group *group_of(struct cpuid_policy *policy, u32 leaf)
{
	if (leaf < CPUID_BASIC_LEAVES)
		return &policy->basic[leaf];
	if (leaf - CPUID_EXTENDED_BASE < CPUID_EXTENDED_LEAVES)
		return &policy->extended[leaf - CPUID_EXTENDED_BASE];
	if (leaf - CPUID_HYPERVISOR_BASE < CPUID_HYPERVISOR_LEAVES)
		return &policy->hypervisor[leaf - CPUID_HYPERVISOR_BASE];
	if (leaf - CPUID_KVM_BASE < CPUID_KVM_LEAVES)
		return &policy->kvm[leaf - CPUID_KVM_BASE];
	return NULL;
}

static u32 rule_count(const struct cpuid_rule *rule)
{
	return rule->count ? rule->count : 1;
}

static bool in_hypervisor_range(u32 leaf)
{
	return leaf >> 28 == 4;
}

/*
 * One subleaf: mask, then the engine's limits, then its shape. Leaves above the host's highest read as 0 there already.
 */
static void add_entry(struct build *build, const struct cpuid_rule *rule, u32 subleaf, cpuid_source_t source,
		      void (*limit)(u32 leaf, u32 subleaf, struct cpuid_leaf *value))
{
	struct cpuid_policy *policy = build->policy;
	struct cpuid_entry *entry = &policy->entry[policy->entry_count];
	struct cpuid_group *group = group_of(policy, rule->leaf);
	struct cpuid_leaf value = {0, 0, 0, 0};

	if (!in_hypervisor_range(rule->leaf))
		value = source(rule->leaf, subleaf);
	value = (struct cpuid_leaf){value.eax & rule->eax, value.ebx & rule->ebx, value.ecx & rule->ecx,
				    value.edx & rule->edx};
	if (limit)
		limit(rule->leaf, subleaf, &value);
	shape(build, rule, subleaf, &value);
	if (group->count == 0)
		group->first = (u8)policy->entry_count;
	group->count++;
	group->repeat = rule->repeat;
	policy->entry_count++;
	*entry = (struct cpuid_entry){value, (enum cpuid_fixup)rule->fixup};
}

/* The components of XSAVE that the host has and we know, with their places. Half of AVX-512 is none (SDM "XSETBV"). */
static void find_xsave(struct cpuid_policy *policy, cpuid_source_t source, u64 xcr0_max)
{
	const u64 avx512 = XCR0_OPMASK | XCR0_ZMM_HI | XCR0_HI_ZMM;

	if (!(source(1, 0).ecx & ECX_XSAVE))
		return;
	policy->xcr0 = xcr0_max & XCR0_KNOWN;
	if ((policy->xcr0 & avx512) != avx512 || !(policy->xcr0 & XCR0_AVX))
		policy->xcr0 &= ~avx512;
	for (u32 i = 2; i < 64; i++) {
		struct cpuid_leaf component;

		if (!(policy->xcr0 & BIT(i)))
			continue;
		component = source(0xd, i);
		policy->xsave_size[i] = component.eax;
		policy->xsave_offset[i] = component.ebx;
		if (component.ecx & BIT(1))
			policy->xsave_align |= BIT(i);
	}
}

/* A CR4 bit a guest may set, and the CPUID bit that gives it (0: always there). */
static const struct {
	u32 leaf;
	u8 reg, bit; /* 0..3: EAX..EDX */
	u64 cr4;
} cr4_rules[] = {
	{1, 3, 1, CR4_VME | CR4_PVI},	  {1, 3, 4, CR4_TSD},
	{1, 3, 2, CR4_DE},		  {1, 3, 3, CR4_PSE},
	{1, 3, 6, CR4_PAE},		  {1, 3, 7, CR4_MCE},
	{1, 3, 13, CR4_PGE},		  {1, 3, 5, CR4_PCE},
	{1, 3, 24, CR4_OSFXSR},		  {1, 3, 25, CR4_OSXMMEXCPT},
	{1, 2, 17, CR4_PCIDE},		  {1, 2, 26, CR4_OSXSAVE},
	{7, 1, 0, CR4_FSGSBASE},	  {7, 1, 7, CR4_SMEP},
	{7, 1, 20, CR4_SMAP},		  {7, 2, 2, CR4_UMIP},
	{7, 2, 3, CR4_PKE},
};

static u32 pick_register(const struct cpuid_leaf *value, u32 reg)
{
	const u32 all[4] = {value->eax, value->ebx, value->ecx, value->edx};

	return all[reg];
}

static const struct cpuid_leaf *built(const struct cpuid_policy *policy, u32 leaf)
{
	return &policy->entry[group_of((struct cpuid_policy *)policy, leaf)->first].value;
}

static bool has_fixup(const struct cpuid_policy *policy, const struct cpuid_group *group)
{
	for (u32 i = 0; i < group->count; i++)
		if (policy->entry[group->first + i].fixup != CPUID_FIX_NONE)
			return true;
	return false;
}

/* Marks the leaves that the handler need not think about. */
static void find_plain(struct cpuid_policy *policy)
{
	u32 max = built(policy, 0)->eax;

	for (u32 leaf = 0; leaf < CPUID_BASIC_LEAVES && leaf <= max; leaf++) {
		struct cpuid_group *group = &policy->basic[leaf];

		group->plain = !has_fixup(policy, group);
		if (group->count == 1 && group->plain)
			policy->plain[leaf] = &policy->entry[group->first].value;
	}
}

/* What other handlers want to know of the outcome. */
static void derive(struct cpuid_policy *policy)
{
	for (u32 i = 0; i < ARRAY_SIZE(cr4_rules); i++)
		if (pick_register(built(policy, cr4_rules[i].leaf), cr4_rules[i].reg) >> cr4_rules[i].bit & 1)
			policy->cr4 |= cr4_rules[i].cr4;
	policy->has_nx = built(policy, 0x80000001)->edx >> 20 & 1;
	policy->has_gib_pages = built(policy, 0x80000001)->edx >> 26 & 1;
	policy->has_ffxsr = built(policy, 0x80000001)->edx >> 25 & 1;
	policy->has_tsc_adjust = built(policy, 7)->ebx >> 1 & 1;
	policy->has_capabilities = built(policy, 7)->edx >> 29 & 1;
	policy->has_tsc_aux = (built(policy, 0x80000001)->edx >> 27 & 1) || (built(policy, 7)->ecx >> 22 & 1);
}

void cpuid_build(struct cpuid_policy *policy, cpuid_source_t source, u64 xcr0_max, u32 vcpus,
		 void (*limit)(u32 leaf, u32 subleaf, struct cpuid_leaf *value))
{
	struct build build = {.policy = policy, .vcpus = vcpus, .id_bits = id_bits(vcpus)};
	struct cpuid_leaf vendor = source(0, 0);

	memset(policy, 0, sizeof(*policy));
	policy->intel = memcmp(&vendor.ebx, "Auth", 4) != 0 && memcmp(&vendor.ebx, "Hygo", 4) != 0;
	policy->physical_bits = MIN(source(CPUID_EXTENDED_BASE + 8, 0).eax & 0xffu, PHYSICAL_BITS_MAX);
	find_xsave(policy, source, xcr0_max);
	for (u32 i = 0; i < cpuid_rule_count; i++)
		for (u32 n = 0; n < rule_count(&cpuid_rules[i]); n++)
			add_entry(&build, &cpuid_rules[i], cpuid_rules[i].subleaf + n, source, limit);
	derive(policy);
	find_plain(policy);
}

bool cpuid_listed(u32 leaf, u32 subleaf, u32 reg, u32 bit)
{
	for (u32 i = 0; i < cpuid_rule_count; i++) {
		const struct cpuid_rule *rule = &cpuid_rules[i];
		struct cpuid_leaf mask = {rule->eax, rule->ebx, rule->ecx, rule->edx};

		if (rule->leaf == leaf && subleaf >= rule->subleaf && subleaf < rule->subleaf + rule_count(rule))
			return pick_register(&mask, reg) >> bit & 1;
	}
	return false;
}

const struct cpuid_policy *cpuid_create(struct vm *vm)
{
	struct cpuid_policy *policy = pool_alloc((u32)(ALIGN_UP(sizeof(*policy), PAGE_SIZE) / PAGE_SIZE));
	u32 vcpus = vm->config->vcpus ? vm->config->vcpus : 1;

	if (policy)
		cpuid_build(policy, features_cpuid, xstate_xcr0_max(), vcpus, vm->engine->limit_cpuid);
	return policy;
}

void cpuid_destroy(const struct cpuid_policy *policy)
{
	if (policy)
		pool_free((void *)policy, (u32)(ALIGN_UP(sizeof(*policy), PAGE_SIZE) / PAGE_SIZE));
}

/*
 * NULL: nothing is listed there. A leaf beyond all ranges is answered by the highest basic one on Intel's processors.
 */
static const struct cpuid_entry *find(const struct cpuid_policy *policy, u32 leaf, u32 subleaf)
{
	const struct cpuid_group *group = group_of((struct cpuid_policy *)policy, leaf);
	u32 max_basic = policy->entry[policy->basic[0].first].value.eax;
	u32 max_extended = policy->entry[policy->extended[0].first].value.eax;
	bool beyond = leaf < CPUID_EXTENDED_BASE ? leaf > max_basic : leaf > max_extended;

	if (UNLIKELY(beyond && !in_hypervisor_range(leaf)))
		group = policy->intel ? &policy->basic[MIN(max_basic, CPUID_BASIC_LEAVES - 1)] : NULL;
	if (!group || !group->count)
		return NULL;
	if (group->count == 1)
		return &policy->entry[group->first];
	if (subleaf < group->count)
		return &policy->entry[group->first + subleaf];
	return group->repeat ? &policy->entry[group->first + group->count - 1] : NULL;
}

static struct cpuid_leaf __attribute__((noinline)) fix(struct vcpu *vcpu, const struct cpuid_entry *entry, u32 subleaf)
{
	const struct cpuid_policy *policy = vcpu->vm->cpuid;
	struct cpuid_leaf value = entry->value;
	u64 base;

	switch (entry->fixup) {
	case CPUID_FIX_FEATURES:
		value.ebx |= vcpu->id << 24;
		if (vcpu->machine && msr_read(vcpu, MSR_APIC_BASE, &base) && !(base & APIC_BASE_ENABLE))
			value.edx &= ~EDX_APIC;
		if (vcpu_get(vcpu, REG_CR4) & CR4_OSXSAVE)
			value.ecx |= ECX_OSXSAVE;
		break;
	case CPUID_FIX_OSPKE:
		if (vcpu_get(vcpu, REG_CR4) & CR4_PKE)
			value.ecx |= LEAF7_OSPKE;
		break;
	case CPUID_FIX_TOPOLOGY:
		value.ecx |= subleaf & 0xff;
		value.edx = vcpu->id;
		break;
	case CPUID_FIX_XSAVE:
		if (policy->xcr0)
			value.ebx = xsave_size(policy, vcpu->xcr0);
		break;
	case CPUID_FIX_XSAVEC:
		if (value.eax & BIT(1))
			value.ebx = xsavec_size(policy, vcpu->xcr0);
		break;
	default:
		break;
	}
	return value;
}

struct cpuid_leaf cpuid_answer(struct vcpu *vcpu, u32 leaf, u32 subleaf)
{
	const struct cpuid_entry *entry = find(vcpu->vm->cpuid, leaf, subleaf);

	if (!entry)
		return cpuid_account(vcpu->vm, leaf, subleaf);
	return entry->fixup == CPUID_FIX_NONE ? entry->value : fix(vcpu, entry, subleaf);
}

static inline void answer(struct vcpu *vcpu, const struct cpuid_leaf *value)
{
	vcpu->reg[REG_RAX] = value->eax;
	vcpu->reg[REG_RBX] = value->ebx;
	vcpu->reg[REG_RCX] = value->ecx;
	vcpu->reg[REG_RDX] = value->edx;
}

/*
 * Subleaves by their number first: at the start of each program the C library of Debian asks for the caches (leaf 4)
 * some 40 times.
 */
static enum verdict __attribute__((noinline)) think(struct vcpu *vcpu)
{
	const struct cpuid_policy *policy = vcpu->vm->cpuid;
	u32 leaf = (u32)vcpu->reg[REG_RAX], subleaf = (u32)vcpu->reg[REG_RCX];
	struct cpuid_leaf value;

	if (leaf < CPUID_BASIC_LEAVES && policy->basic[leaf].plain && subleaf < policy->basic[leaf].count) {
		answer(vcpu, &policy->entry[policy->basic[leaf].first + subleaf].value);
		return VERDICT_ADVANCE;
	}
	value = cpuid_answer(vcpu, leaf, subleaf);
	answer(vcpu, &value);
	return VERDICT_ADVANCE;
}

/* The general registers stand in the file at every exit: no look at the masks, no search. Upper halves are cleared. */
enum verdict handle_cpuid(struct vcpu *vcpu, const struct vm_exit *exit)
{
	u32 leaf = (u32)vcpu->reg[REG_RAX];
	const struct cpuid_leaf *plain = leaf < CPUID_BASIC_LEAVES ? vcpu->vm->cpuid->plain[leaf] : NULL;

	(void)exit;
	if (UNLIKELY(!plain))
		return think(vcpu);
	answer(vcpu, plain);
	return VERDICT_ADVANCE;
}
