/* The snapshot: the part of mtrr.h that needs the CPU. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/mtrr.h"

#define CPUID_1_EDX_MTRR BIT(12)
#define CAP_COUNT	 0xffull
#define CAP_FIXED	 BIT(8)
#define DEF_TYPE_FIXED	 BIT(10)

static const u32 fixed_msr[MTRR_FIXED] = {
	MSR_MTRR_FIX64K_00000,	  MSR_MTRR_FIX16K_80000,    MSR_MTRR_FIX16K_A0000,    MSR_MTRR_FIX4K_C0000,
	MSR_MTRR_FIX4K_C0000 + 1, MSR_MTRR_FIX4K_C0000 + 2, MSR_MTRR_FIX4K_C0000 + 3, MSR_MTRR_FIX4K_C0000 + 4,
	MSR_MTRR_FIX4K_C0000 + 5, MSR_MTRR_FIX4K_C0000 + 6, MSR_MTRR_FIX4K_C0000 + 7,
};

void mtrr_snapshot(struct mtrr *mtrr)
{
	u64 capabilities, absent;

	*mtrr = (struct mtrr){.present = cpuid(1, 0).edx & CPUID_1_EDX_MTRR};
	if (!mtrr->present)
		return;
	capabilities = rdmsr(MSR_MTRRCAP);
	mtrr->def_type = rdmsr(MSR_MTRR_DEF_TYPE);
	if (!(capabilities & CAP_FIXED))
		mtrr->def_type &= ~DEF_TYPE_FIXED;
	for (u32 i = 0; i < MTRR_FIXED && (capabilities & CAP_FIXED); i++)
		mtrr->fixed[i] = rdmsr(fixed_msr[i]);
	/* Address bits the CPU lacks read as 0 in a mask; as 1 they compare equal, and the mask has no gap above. */
	absent = BITS(51, 0) & ~(BIT(cpu_physical_address_bits()) - 1);
	mtrr->count = (u32)MIN(capabilities & CAP_COUNT, MTRR_VARIABLE);
	for (u32 i = 0; i < mtrr->count; i++) {
		mtrr->variable[i].base = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i);
		mtrr->variable[i].mask = rdmsr(MSR_MTRR_PHYSMASK0 + 2 * i) | absent;
	}
}
