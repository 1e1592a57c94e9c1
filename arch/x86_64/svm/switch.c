/*
 * A vCPU becomes current on a core and leaves it: extended state, debug registers and the MSRs the VMCB does not hold.
 */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/safe.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/svm/svm.h"
#include "core/panic.h"

void svm_set_xcr0(struct vcpu *vcpu, u64 value)
{
	vcpu->xcr0 = value;
	/* Ours needs none of it, so the guest's value stays live through its exits. */
	if (this_core()->current == vcpu && cpu_has(FEATURE_XSAVE))
		xsetbv(0, value);
}

/*
 * XSETBV is intercepted, so that vcpu->xcr0 is what is live; but QEMU's TCG executes it in the guest all the same.
 * Reading XCR0 is cheap, and a value that we lost would be another VM's.
 */
void svm_sync_xcr0(struct vcpu *vcpu)
{
	if (this_core()->current == vcpu && cpu_has(FEATURE_XSAVE))
		vcpu->xcr0 = xgetbv(0);
}

static void load_tsc_aux(u64 value)
{
	struct svm_core *core = this_core()->engine;

	if (core->tsc_aux == value)
		return;
	core->tsc_aux = value;
	wrmsr(MSR_TSC_AUX, value);
}

bool svm_set_tsc_aux(struct vcpu *vcpu, u64 value)
{
	struct svm_core *core = this_core()->engine;

	if (this_core()->current == vcpu) {
		if (!wrmsr_safe(MSR_TSC_AUX, value))
			return false;
		value = core->tsc_aux = rdmsr(MSR_TSC_AUX);
	}
	svm_of(vcpu)->tsc_aux = value;
	return true;
}

void svm_load(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	xstate_restore(vcpu->xsave, vcpu->xcr0);
	load_tsc_aux(svm->tsc_aux);
	/* Another core may have run it since: its VMCB is not what this one has cached (APM "VMCB State Caching"). */
	if (vcpu->last_core != this_core()->index)
		svm->vmcb->clean = 0;
	vcpu->last_core = this_core()->index;
	/* Breakpoints that are armed work without another touch of a debug register. */
	if (svm->vmcb->dr7 & 0xff)
		svm_load_debug(vcpu);
}

static void set_dr_intercepts(struct svm_vcpu *svm, u16 mask)
{
	svm->vmcb->dr_read = svm->vmcb->dr_write = mask;
	svm_dirty(svm, CLEAN_INTERCEPTS);
}

void svm_put(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	if (vcpu->debug_live) {
		svm->dr[0] = read_dr0();
		svm->dr[1] = read_dr1();
		svm->dr[2] = read_dr2();
		svm->dr[3] = read_dr3();
		vcpu->debug_live = false;
		set_dr_intercepts(svm, 0xffff);
	}
	svm_sync_xcr0(vcpu);
	xstate_save(vcpu->xsave);
}

void svm_load_debug(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	write_dr0(svm->dr[0]);
	write_dr1(svm->dr[1]);
	write_dr2(svm->dr[2]);
	write_dr3(svm->dr[3]);
	vcpu->debug_live = true;
	set_dr_intercepts(svm, 0);
}

u64 svm_get_dr(struct vcpu *vcpu, u32 dr)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	if (dr >= 6)
		return dr == 6 ? svm->vmcb->dr6 : svm->vmcb->dr7;
	if (!vcpu->debug_live)
		return svm->dr[dr & 3];
	switch (dr) {
	case 0:
		return read_dr0();
	case 1:
		return read_dr1();
	case 2:
		return read_dr2();
	default:
		return read_dr3();
	}
}

static void write_dr(u32 dr, u64 value)
{
	switch (dr) {
	case 0:
		write_dr0(value);
		break;
	case 1:
		write_dr1(value);
		break;
	case 2:
		write_dr2(value);
		break;
	default:
		write_dr3(value);
	}
}

void svm_set_dr(struct vcpu *vcpu, u32 dr, u64 value)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm_dirty(svm, CLEAN_DR);
	if (dr == 6)
		svm->vmcb->dr6 = value;
	else if (dr == 7)
		svm->vmcb->dr7 = value;
	else if (vcpu->debug_live) /* svm->dr is what they were before */
		write_dr(dr & 3, value);
	else
		svm->dr[dr & 3] = value;
	/*
	 * DR7 with a breakpoint armed needs DR0-3 in the processor even if the guest never touches a debug register
	 * again.
	 */
	if (dr == 7 && value & 0xff && !vcpu->debug_live && this_core()->current == vcpu)
		svm_load_debug(vcpu);
}
