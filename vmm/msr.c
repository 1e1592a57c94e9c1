#include "vmm/msr.h"

#include "arch/x86_64/cpu/insn.h"
#include "lib/string.h"
#include "vmm/cpuid.h"
#include "vmm/handlers.h"
#include "vmm/kvmclock.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define MSR_X2APIC_FIRST    0x800u
#define MSR_X2APIC_LAST	    0x8ffu
#define APIC_BASE_DEFAULT   0xfee00000ull
#define APIC_BASE_BSP	    BIT(8)
#define MISC_FAST_STRINGS   BIT(0)
#define MISC_NO_BTS	    BIT(11)
#define MISC_NO_PEBS	    BIT(12)
#define MISC_READ_ONLY	    (BIT(7) | MISC_NO_BTS | MISC_NO_PEBS) /* performance monitoring, BTS, PEBS: there or not */
#define NEWEST_MICROCODE    (0xffffffffull << 32) /* a guest cannot load one: it has no newer to look for */
#define HWCR_TSC_FREQ_SEL   BIT(24) /* the TSC counts at one rate in all power states */
#define MCG_STATUS_VALID    BITS(2, 0)
#define CAP_SKIP_L1D_FLUSH  BIT(3)
/*
 * IA32_ARCH_CAPABILITIES: what says that a flaw is not there or how VERW clears. IBRS_ALL and TSX_CTRL go with MSRs
 * that are not given.
 */
#define CAPABILITIES_SHOWN \
	(BIT(0) | BIT(2) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(14) | BIT(15) | BIT(17) | \
	 BIT(19) | BIT(20) | BIT(24) | BIT(26) | BIT(27) | BIT(28))

static struct msr_state *state_of(struct vcpu *vcpu)
{
	return vcpu->msrs;
}

static bool tsc_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = rdtsc() + vcpu->tsc_offset;
	return true;
}

static void move_tsc(struct vcpu *vcpu, u64 by)
{
	vcpu->tsc_offset += by;
	vcpu->engine->set_tsc_offset(vcpu, vcpu->tsc_offset);
	if (vcpu->machine)
		vcpu->machine->tsc_moved(vcpu);
}

/* SDM "IA32_TSC_ADJUST Register": each of the two moves the other by as much. */
static bool tsc_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 by = value - (rdtsc() + vcpu->tsc_offset);

	(void)msr;
	move_tsc(vcpu, by);
	state_of(vcpu)->tsc_adjust += by;
	return true;
}

static bool tsc_adjust_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = state_of(vcpu)->tsc_adjust;
	return true;
}

static bool tsc_adjust_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	(void)msr;
	move_tsc(vcpu, value - state_of(vcpu)->tsc_adjust);
	state_of(vcpu)->tsc_adjust = value;
	return true;
}

static bool apic_base_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	if (LIKELY(vcpu->machine))
		return vcpu->machine->read_apic(vcpu, msr, value);
	*value = state_of(vcpu)->apic_base;
	return true;
}

/* Without a local APIC the enable bits cannot be set, the base is kept as written. */
static bool apic_base_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 address = (BIT(vcpu->vm->cpuid->physical_bits) - 1) & ~(PAGE_SIZE - 1);
	u64 bsp = state_of(vcpu)->apic_base & APIC_BASE_BSP;

	if (vcpu->machine)
		return vcpu->machine->write_apic(vcpu, msr, value);
	if (value & ~(address | APIC_BASE_BSP))
		return false;
	state_of(vcpu)->apic_base = (value & address) | bsp;
	return true;
}

static bool misc_enable_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = state_of(vcpu)->misc_enable;
	return true;
}

static bool misc_enable_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 read_only = state_of(vcpu)->misc_enable & MISC_READ_ONLY;

	(void)msr;
	if (value & ~(MISC_FAST_STRINGS | MISC_READ_ONLY))
		return false;
	state_of(vcpu)->misc_enable = (value & MISC_FAST_STRINGS) | read_only;
	return true;
}

static bool mcg_status_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = state_of(vcpu)->mcg_status;
	return true;
}

static bool mcg_status_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	(void)msr;
	if (value & ~MCG_STATUS_VALID)
		return false;
	state_of(vcpu)->mcg_status = value;
	return true;
}

static bool capabilities_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = state_of(vcpu)->arch_capabilities;
	return true;
}

static bool held_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	return vcpu->engine->get_msr(vcpu, msr, value) == OK;
}

static bool held_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	return vcpu->engine->set_msr(vcpu, msr, value) == OK;
}

bool msr_pat_valid(u64 value)
{
	static const u32 types = BIT(CACHE_UC) | BIT(CACHE_WC) | BIT(CACHE_WT) | BIT(CACHE_WP) | BIT(CACHE_WB) |
				 BIT(CACHE_UC_MINUS);

	for (u32 i = 0; i < 8; i++) {
		u64 type = value >> (8 * i) & 0xff;

		if (type > 7 || !(types & BIT(type)))
			return false;
	}
	return true;
}

static bool pat_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	return msr_pat_valid(value) && held_write(vcpu, msr, value);
}

/* Stepping by branches is given; last-branch records are not, since their MSRs are not there. */
static bool debugctl_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	return !(value & ~DEBUGCTL_BTF) && held_write(vcpu, msr, value);
}

static const struct msr_row *find(struct vcpu *vcpu, u32 msr);

static bool same_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	*value = find(vcpu, msr)->value;
	return true;
}

static bool write_nothing(struct vcpu *vcpu, u32 msr, u64 value)
{
	(void)vcpu;
	(void)msr;
	(void)value;
	return true;
}

static bool refuse_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	(void)vcpu;
	(void)msr;
	(void)value;
	return false;
}

/* The local APIC's and the clock's: a vCPU without a machine has neither. */
static bool apic_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	return LIKELY(vcpu->machine) && vcpu->machine->read_apic(vcpu, msr, value);
}

static bool apic_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	return LIKELY(vcpu->machine) && vcpu->machine->write_apic(vcpu, msr, value);
}

static bool clock_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	return vcpu->machine && vcpu->machine->read_clock(vcpu, msr, value);
}

static bool clock_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	return vcpu->machine && vcpu->machine->write_clock(vcpu, msr, value);
}

#define ONE(msr)    .first = (msr), .last = (msr)
#define OWNED	    .owned = true, .read = held_read, .write = held_write
#define FIXED	    .read = same_read, .write = refuse_write
#define IGNORED	    .read = same_read, .write = write_nothing
#define APIC	    .read = apic_read, .write = apic_write
#define CLOCK	    .read = clock_read, .write = clock_write
#define MTRR(a, b)  {.first = (a), .last = (b), .read = guest_mtrr_read, .write = guest_mtrr_write}

const struct msr_row msr_table[] = {
	{.first = 0, .last = 1, IGNORED}, /* the Pentium's machine-check address and type */
	{ONE(MSR_TSC), .read = tsc_read, .write = tsc_write},
	{.first = MSR_KVM_WALL_CLOCK_OLD, .last = MSR_KVM_SYSTEM_TIME_OLD, CLOCK},
	{ONE(MSR_PLATFORM_ID), FIXED},
	{ONE(MSR_APIC_BASE), .read = apic_base_read, .write = apic_base_write},
	{ONE(MSR_TSC_ADJUST), .need = MSR_NEEDS_TSC_ADJUST,
	 .read = tsc_adjust_read, .write = tsc_adjust_write},
	{ONE(MSR_BIOS_SIGN_ID), IGNORED, .value = NEWEST_MICROCODE},
	{ONE(MSR_MTRRCAP), FIXED, .value = MTRR_CAP_VALUE},
	{ONE(MSR_ARCH_CAPABILITIES), .need = MSR_NEEDS_CAPABILITIES, .read = capabilities_read, .write = refuse_write},
	{ONE(MSR_SYSENTER_CS), OWNED},
	{ONE(MSR_SYSENTER_ESP), OWNED},
	{ONE(MSR_SYSENTER_EIP), OWNED},
	{ONE(MSR_MCG_CAP), FIXED}, /* no banks */
	{ONE(MSR_MCG_STATUS), .read = mcg_status_read, .write = mcg_status_write},
	{ONE(MSR_MISC_ENABLE), .read = misc_enable_read, .write = misc_enable_write},
	{ONE(MSR_DEBUGCTL), .read = held_read, .write = debugctl_write},
	MTRR(MSR_MTRR_PHYSBASE0, MSR_MTRR_PHYSBASE0 + 2 * MTRR_VARIABLE - 1),
	MTRR(MSR_MTRR_FIX64K_00000, MSR_MTRR_FIX64K_00000),
	MTRR(MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000),
	MTRR(MSR_MTRR_FIX4K_C0000, MSR_MTRR_FIX4K_C0000 + 7),
	{ONE(MSR_PAT), .read = held_read, .write = pat_write},
	MTRR(MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE),
	{ONE(MSR_TSC_DEADLINE), APIC},
	{.first = MSR_X2APIC_FIRST, .last = MSR_X2APIC_LAST, APIC},
	{.first = MSR_KVM_WALL_CLOCK, .last = MSR_KVM_SYSTEM_TIME, CLOCK},
	{ONE(MSR_EFER), .read = efer_read, .write = efer_write},
	{ONE(MSR_STAR), OWNED},
	{ONE(MSR_LSTAR), OWNED},
	{ONE(MSR_CSTAR), OWNED},
	{ONE(MSR_SFMASK), OWNED},
	{ONE(MSR_FS_BASE), OWNED},
	{ONE(MSR_GS_BASE), OWNED},
	{ONE(MSR_KERNEL_GS_BASE), OWNED},
	{ONE(MSR_TSC_AUX), OWNED, .need = MSR_NEEDS_TSC_AUX},
	/* What every AMD processor has, so that systems read it without a doubt: 32-bit Linux dies of the fault. */
	{ONE(MSR_SYSCFG), FIXED, .need = MSR_NEEDS_AMD},
	{ONE(MSR_HWCR), FIXED, .need = MSR_NEEDS_AMD, .value = HWCR_TSC_FREQ_SEL},
	{ONE(MSR_INT_PENDING), FIXED, .need = MSR_NEEDS_AMD},
};
const u32 msr_row_count = ARRAY_SIZE(msr_table);

void msr_state_reset(struct msr_state *state, u32 vcpu_id, const struct msr_host *host)
{
	memset(state, 0, sizeof(*state));
	for (u32 i = 0; i < MSR_HINTS; i++)
		state->hint[i] = msr_table;
	state->apic_base = APIC_BASE_DEFAULT | (vcpu_id == 0 ? APIC_BASE_BSP : 0);
	/*
	 * Kernels choose how to copy and clear by this bit: where firmware has turned fast strings off, guests must
	 * know.
	 */
	state->misc_enable = (host->misc_enable & MISC_FAST_STRINGS) | MISC_NO_BTS | MISC_NO_PEBS;
	/* The flush at VM entry, where it is needed, is ours to do: a guest's own hypervisor need not repeat it. */
	state->arch_capabilities = (host->arch_capabilities & CAPABILITIES_SHOWN) | CAP_SKIP_L1D_FLUSH;
}

static bool row_counts(const struct cpuid_policy *cpuid, const struct msr_row *row)
{
	switch (row->need) {
	case MSR_NEEDS_TSC_AUX:
		return cpuid->has_tsc_aux;
	case MSR_NEEDS_TSC_ADJUST:
		return cpuid->has_tsc_adjust;
	case MSR_NEEDS_CAPABILITIES:
		return cpuid->has_capabilities;
	case MSR_NEEDS_AMD:
		return !cpuid->intel;
	default:
		return true;
	}
}

void msr_give_owned(struct vcpu *vcpu)
{
	for (u32 i = 0; i < msr_row_count; i++)
		if (msr_table[i].owned && row_counts(vcpu->vm->cpuid, &msr_table[i]))
			vcpu->engine->intercept_msr(vcpu, msr_table[i].first, false, false);
}

static const struct msr_row *find(struct vcpu *vcpu, u32 msr)
{
	u32 low = 0, high = msr_row_count;

	while (low < high) {
		u32 middle = (low + high) / 2;
		const struct msr_row *row = &msr_table[middle];

		if (msr < row->first)
			high = middle;
		else if (msr > row->last)
			low = middle + 1;
		else
			return row_counts(vcpu->vm->cpuid, row) ? row : NULL;
	}
	return NULL;
}

static const struct msr_row *search(struct vcpu *vcpu, u32 msr)
{
	const struct msr_row *row = find(vcpu, msr);

	if (row && row->need == MSR_ALWAYS)
		state_of(vcpu)->hint[msr % MSR_HINTS] = row;
	return row;
}

static inline bool is_of(const struct msr_row *row, u32 msr)
{
	return msr >= row->first && msr <= row->last;
}

static bool __attribute__((noinline)) read_searched(struct vcpu *vcpu, u32 msr, u64 *value)
{
	const struct msr_row *row = search(vcpu, msr);

	return row && row->read(vcpu, msr, value);
}

static bool __attribute__((noinline)) write_searched(struct vcpu *vcpu, u32 msr, u64 value)
{
	const struct msr_row *row = search(vcpu, msr);

	return row && row->write(vcpu, msr, value);
}

static inline bool read_msr(struct vcpu *vcpu, u32 msr, u64 *value)
{
	const struct msr_row *row = state_of(vcpu)->hint[msr % MSR_HINTS];

	return LIKELY(is_of(row, msr)) ? row->read(vcpu, msr, value) : read_searched(vcpu, msr, value);
}

static inline bool write_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	const struct msr_row *row = state_of(vcpu)->hint[msr % MSR_HINTS];

	return LIKELY(is_of(row, msr)) ? row->write(vcpu, msr, value) : write_searched(vcpu, msr, value);
}

bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	return read_msr(vcpu, msr, value);
}

bool msr_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	return write_msr(vcpu, msr, value);
}

/* The general registers stand in the file at every exit. */
enum verdict handle_msr_read(struct vcpu *vcpu, const struct vm_exit *exit)
{
	u64 value;

	(void)exit;
	if (UNLIKELY(!read_msr(vcpu, (u32)vcpu->reg[REG_RCX], &value)))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	vcpu->reg[REG_RAX] = (u32)value;
	vcpu->reg[REG_RDX] = value >> 32;
	return VERDICT_ADVANCE;
}

enum verdict handle_msr_write(struct vcpu *vcpu, const struct vm_exit *exit)
{
	u64 value = (u32)vcpu->reg[REG_RAX] | vcpu->reg[REG_RDX] << 32;

	(void)exit;
	if (UNLIKELY(!write_msr(vcpu, (u32)vcpu->reg[REG_RCX], value)))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	return VERDICT_ADVANCE;
}
