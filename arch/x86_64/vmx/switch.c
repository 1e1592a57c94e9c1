/* What is switched when a vCPU comes onto a core and leaves it: MSRs, extended state, debug registers, CR2, VMCS. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/safe.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"

static const u32 switched_msrs[SWITCHED_MSRS] = {
	[SWITCHED_STAR] = MSR_STAR,	  [SWITCHED_LSTAR] = MSR_LSTAR,
	[SWITCHED_CSTAR] = MSR_CSTAR,	  [SWITCHED_SFMASK] = MSR_SFMASK,
	[SWITCHED_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE, [SWITCHED_TSC_AUX] = MSR_TSC_AUX,
};

u32 vmx_switched_count(void)
{
	return cpu_has(FEATURE_RDTSCP) ? SWITCHED_MSRS : SWITCHED_TSC_AUX;
}

/* SWITCHED_MSRS: not such an MSR. */
static u32 switched_index(u32 msr)
{
	for (u32 i = 0; i < vmx_switched_count(); i++) {
		if (switched_msrs[i] == msr)
			return i;
	}
	return SWITCHED_MSRS;
}

void vmx_read_switched_msrs(struct vmx_core *core)
{
	for (u32 i = 0; i < vmx_switched_count(); i++)
		core->msr[i] = rdmsr(switched_msrs[i]);
}

/* Systems write them once. KERNEL_GS_BASE changes with every SWAPGS, so it has to be asked for in any case. */
bool vmx_watches_writes(u32 msr)
{
	u32 i = switched_index(msr);

	return i != SWITCHED_MSRS && i != SWITCHED_KERNEL_GS_BASE;
}

bool vmx_get_switched_msr(struct vmx_vcpu *v, u32 msr, u64 *value)
{
	u32 i = switched_index(msr);

	if (i == SWITCHED_MSRS)
		return false;
	*value = v->loaded ? rdmsr(msr) : v->msr[i];
	return true;
}

/* What the processor refuses, it refuses the guest: no address in LSTAR that is not canonical, no reserved bits. */
int vmx_set_switched_msr(struct vmx_vcpu *v, u32 msr, u64 value)
{
	u32 i = switched_index(msr);

	if (i == SWITCHED_MSRS)
		return ERR_MISSING;
	if (v->loaded) {
		if (!wrmsr_safe(msr, value))
			return ERR_INVALID;
		value = vmx_this_core()->msr[i] = rdmsr(msr);
	}
	v->msr[i] = value;
	return OK;
}

/* A write of an MSR costs as much as a short exit, and guests of one kind have much the same in them. */
static void load_msrs(const struct vmx_vcpu *v, struct vmx_core *core)
{
#pragma GCC unroll 6
	for (u32 i = 0; i < SWITCHED_MSRS; i++) {
		if (v->msr[i] == core->msr[i])
			continue;
		core->msr[i] = v->msr[i];
		wrmsr(switched_msrs[i], v->msr[i]);
	}
}

void vmx_load_debug(struct vmx_vcpu *v)
{
	if (v->vcpu->debug_live)
		return;
	v->vcpu->debug_live = true;
	write_dr0(v->dr[0]);
	write_dr1(v->dr[1]);
	write_dr2(v->dr[2]);
	write_dr3(v->dr[3]);
	write_dr6(v->dr6);
	vmx_set_primary(v, v->primary & ~(u32)PRIMARY_MOV_DR);
}

#define DR7_ENABLES BITS(7, 0)

/*
 * DR7 is 0x400 since the exit (SDM "Loading Host Control Registers, Debug Registers, MSRs"), so what is left in DR0-DR3
 * does nothing. The guest's own is in the VMCS, where only a guest with live debug registers, or we, change it.
 */
static void __attribute__((noinline)) unload_live_debug(struct vmx_vcpu *v)
{
	v->vcpu->debug_live = false;
	v->dr[0] = read_dr0();
	v->dr[1] = read_dr1();
	v->dr[2] = read_dr2();
	v->dr[3] = read_dr3();
	v->dr6 = read_dr6();
	vmx_note_dr7(v, vmread(VMCS_GUEST_DR7));
	vmx_set_primary(v, v->primary | (u32)PRIMARY_MOV_DR);
}

void vmx_unload_debug(struct vmx_vcpu *v)
{
	if (UNLIKELY(v->vcpu->debug_live))
		unload_live_debug(v);
}

void vmx_note_dr7(struct vmx_vcpu *v, u64 dr7)
{
	v->breakpoints = dr7 & DR7_ENABLES;
}

void vmx_load_processor(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	/* No instruction switches CR2, and nothing of ours changes it while a vCPU is loaded (mmu/window.asm). */
	write_cr2(vcpu->reg[REG_CR2]);
	xstate_restore(vcpu->xsave, vcpu->xcr0);
	load_msrs(v, vmx_this_core());
	v->loaded = true;
	/* Breakpoints that are armed must work before the guest touches a debug register. */
	if (UNLIKELY(v->breakpoints))
		vmx_load_debug(v);
}

void vmx_unload_processor(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	vmx_unload_debug(v);
	v->loaded = false;
	if (!(vcpu->cached & BIT(REG_CR2))) {
		vcpu->reg[REG_CR2] = read_cr2();
		vcpu->cached |= BIT(REG_CR2);
	}
	v->msr[SWITCHED_KERNEL_GS_BASE] = vmx_this_core()->msr[SWITCHED_KERNEL_GS_BASE] = rdmsr(MSR_KERNEL_GS_BASE);
	xstate_save(vcpu->xsave);
}

void vmx_set_xcr0(struct vcpu *vcpu, u64 value)
{
	vcpu->xcr0 = value;
	if (vmx_of(vcpu)->loaded && cpu_has(FEATURE_XSAVE))
		xsetbv(0, value);
}

/* The first time on this core, or the first time since it was on another. */
static void __attribute__((noinline)) arrive(struct vmx_vcpu *v, u32 core)
{
	const struct flush_target target = {.v = v};

	vmx_flush(v->vpid_reused ? INVAL_TAG_REUSED : INVAL_VCPU_MIGRATED, &target);
	v->vpid_reused = false;
	vmx_make_current(v);
	vmx_write_host(v);
	v->host_cr3 = v->vcpu->vm->root.cr3;
	vmwrite(VMCS_HOST_CR3, v->host_cr3);
	v->core = core;
}

void vmx_load(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 core = this_core()->index;

	if (UNLIKELY(v->core != core))
		arrive(v, core);
	vmx_make_current(v);
	ASSERT(read_cr3() == v->host_cr3);
	vmx_load_processor(vcpu);
}

/* The VMCS stays current: nothing uses it before the next VMPTRLD, and the same vCPU often comes back. */
void vmx_put(struct vcpu *vcpu)
{
	ASSERT(read_cr3() == vmx_of(vcpu)->host_cr3);
	vmx_unload_processor(vcpu);
}
