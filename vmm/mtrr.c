#include "vmm/msr.h"

#include "vmm/cpuid.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define DEF_TYPE_VALID (BITS(7, 0) | BIT(10) | BIT(11))
#define MASK_VALID     BIT(11)

static struct msr_state *state_of(struct vcpu *vcpu)
{
	return vcpu->msrs;
}

/* The types an MTRR may name (SDM "Memory Types That Can Be Encoded in MTRRs"). */
static bool type_valid(u64 type)
{
	return type == CACHE_UC || type == CACHE_WC || type == CACHE_WT || type == CACHE_WP || type == CACHE_WB;
}

static bool types_valid(u64 value)
{
	for (u32 i = 0; i < 8; i++)
		if (!type_valid(value >> (8 * i) & 0xff))
			return false;
	return true;
}

/* The eleven fixed-range registers have gaps between their numbers. -1: none of them. */
static int fixed_index(u32 msr)
{
	if (msr == MSR_MTRR_FIX64K_00000)
		return 0;
	if (msr == MSR_MTRR_FIX16K_80000 || msr == MSR_MTRR_FIX16K_A0000)
		return (int)(1 + msr - MSR_MTRR_FIX16K_80000);
	if (msr >= MSR_MTRR_FIX4K_C0000 && msr < MSR_MTRR_FIX4K_C0000 + 8)
		return (int)(3 + msr - MSR_MTRR_FIX4K_C0000);
	return -1;
}

static u64 *cell(struct msr_state *state, u32 msr)
{
	int fixed = fixed_index(msr);
	u32 variable = msr - MSR_MTRR_PHYSBASE0;

	if (msr == MSR_MTRR_DEF_TYPE)
		return &state->mtrr_def_type;
	if (fixed >= 0)
		return &state->mtrr_fixed[fixed];
	return variable % 2 ? &state->mtrr_mask[variable / 2] : &state->mtrr_base[variable / 2];
}

static bool value_valid(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 beyond = ~(BIT(vcpu->vm->cpuid->physical_bits) - 1);

	if (msr == MSR_MTRR_DEF_TYPE)
		return !(value & ~DEF_TYPE_VALID) && type_valid(value & 0xff);
	if (fixed_index(msr) >= 0)
		return types_valid(value);
	if ((msr - MSR_MTRR_PHYSBASE0) % 2)
		return !(value & (beyond | ((PAGE_SIZE - 1) & ~MASK_VALID)));
	return !(value & (beyond | BITS(11, 8))) && type_valid(value & 0xff);
}

bool guest_mtrr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	*value = *cell(state_of(vcpu), msr);
	return true;
}

bool guest_mtrr_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	if (!value_valid(vcpu, msr, value))
		return false;
	*cell(state_of(vcpu), msr) = value;
	return true;
}
