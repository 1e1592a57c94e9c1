/* XSETBV, checked as the processor would (SDM "XSETBV—Set Extended Control Register"). */
#include "vmm/cpuid.h"
#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/xsetbv.h"
#include "vmm/vm.h"

#define XCR0_AVX512 (XCR0_OPMASK | XCR0_ZMM_HI | XCR0_HI_ZMM)

bool xcr0_valid(u64 value, u64 supported)
{
	u64 avx512 = value & XCR0_AVX512;

	if (value & ~supported || !(value & XCR0_X87))
		return false;
	if (value & XCR0_AVX && !(value & XCR0_SSE))
		return false;
	return !avx512 || (avx512 == XCR0_AVX512 && value & XCR0_AVX);
}

enum verdict handle_xsetbv(struct vcpu *vcpu, const struct vm_exit *exit)
{
	u64 value = (u32)vcpu_get(vcpu, REG_RAX) | vcpu_get(vcpu, REG_RDX) << 32;

	(void)exit;
	if (!(vcpu_get(vcpu, REG_CR4) & CR4_OSXSAVE))
		return vcpu_raise(vcpu, VECTOR_UD);
	if (vcpu_cpl(vcpu) != 0 || (u32)vcpu_get(vcpu, REG_RCX) != 0 || !xcr0_valid(value, vcpu->vm->cpuid->xcr0))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	vcpu->engine->set_xcr0(vcpu, value);
	return VERDICT_ADVANCE;
}
