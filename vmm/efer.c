/* IA32_EFER (SDM "Extended Feature Enable Register"). LMA follows CR0.PG in cr.c; here it is read-only. */
#include "vmm/cpuid.h"
#include "vmm/msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

static u64 writable(const struct cpuid_policy *cpuid)
{
	return EFER_SCE | EFER_LME | (cpuid->has_nx ? EFER_NXE : 0) | (cpuid->has_ffxsr ? EFER_FFXSR : 0);
}

bool efer_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = vcpu_get(vcpu, REG_EFER);
	return true;
}

bool efer_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 old = vcpu_get(vcpu, REG_EFER);
	u64 changed = (value ^ old) & ~EFER_LMA;

	(void)msr;
	if (value & ~(writable(vcpu->vm->cpuid) | EFER_LMA))
		return false;
	/* SDM "Initializing IA-32e Mode": LME must not change while paging is on. */
	if (changed & EFER_LME && vcpu_get(vcpu, REG_CR0) & CR0_PG)
		return false;
	vcpu_set(vcpu, REG_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	/* Cached translations hold what NXE made of bit 63. */
	if (changed & EFER_NXE)
		vcpu->engine->flush_guest(vcpu);
	return true;
}
