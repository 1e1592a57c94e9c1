/* The life of a vCPU under VT-x, and what is switched when it comes onto a core and leaves it. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "arch/x86_64/vmx/vpid.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "lib/string.h"

static struct spinlock vpid_lock = SPINLOCK_INIT;
static struct vpid_pool vpids; /* vpid_lock */

static const u32 switched_msrs[SWITCHED_MSRS] = {
	[SWITCHED_STAR] = MSR_STAR,	  [SWITCHED_LSTAR] = MSR_LSTAR,
	[SWITCHED_CSTAR] = MSR_CSTAR,	  [SWITCHED_SFMASK] = MSR_SFMASK,
	[SWITCHED_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE, [SWITCHED_TSC_AUX] = MSR_TSC_AUX,
};

static u32 switched_count(void)
{
	return cpu_has(FEATURE_RDTSCP) ? SWITCHED_MSRS : SWITCHED_TSC_AUX;
}

/* Value of a switched MSR: in the processor, or in memory. NULL: not such an MSR. */
static u64 *switched_slot(struct vmx_vcpu *v, u32 msr)
{
	for (u32 i = 0; i < switched_count(); i++) {
		if (switched_msrs[i] == msr)
			return &v->msr[i];
	}
	return NULL;
}

bool vmx_get_switched_msr(struct vmx_vcpu *v, u32 msr, u64 *value)
{
	u64 *slot = switched_slot(v, msr);

	if (!slot)
		return false;
	*value = v->loaded ? rdmsr(msr) : *slot;
	return true;
}

bool vmx_set_switched_msr(struct vmx_vcpu *v, u32 msr, u64 value)
{
	u64 *slot = switched_slot(v, msr);

	if (!slot)
		return false;
	*slot = value;
	if (v->loaded)
		wrmsr(msr, value);
	return true;
}

static void free_vpid(u16 vpid)
{
	lock_acquire(&vpid_lock);
	vpid_free(&vpids, vpid);
	lock_release(&vpid_lock);
}

/* 0 when VPIDs are not in use. False: none is left. */
static bool take_vpid(struct vmx_vcpu *v)
{
	if (!vmx_setup.vpid)
		return true;
	lock_acquire(&vpid_lock);
	if (vpids.used[0] == 0)
		vpid_init(&vpids);
	v->vpid = vpid_alloc(&vpids, &v->vpid_reused);
	lock_release(&vpid_lock);
	return v->vpid != 0;
}

/* Takes back whatever a half-made vCPU has. */
static void free_vcpu(struct vmx_vcpu *v)
{
	if (v->vpid)
		free_vpid(v->vpid);
	if (v->msr_bitmap)
		pool_free(v->msr_bitmap, 1);
	if (v->vmcs)
		pool_free(v->vmcs, 1);
	v->vcpu->engine_state = NULL;
	pool_delete(v, sizeof(*v));
}

static struct vmx_vcpu *new_vcpu(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = pool_new(sizeof(*v));

	if (!v)
		return NULL;
	vcpu->engine_state = v;
	v->vcpu = vcpu;
	v->active_core = v->tlb_core = v->host_core = NO_CORE;
	v->vmcs = pool_alloc(1);
	v->msr_bitmap = pool_alloc(1);
	if (!v->vmcs || !v->msr_bitmap || !take_vpid(v)) {
		free_vcpu(v);
		return NULL;
	}
	return v;
}

/* SDM "Software Use of Virtual-Machine Control Structures": revision first, then VMCLEAR, then VMPTRLD. */
static void init_vmcs(struct vmx_vcpu *v)
{
	struct vmx_vcpu *before;

	*(u32 *)v->vmcs = vmx_setup.revision;
	ASSERT(vmclear(pool_pa(v->vmcs)));
	before = vmx_hold(v);
	vmx_write_controls(v);
	vmx_release(v, before);
}

int vmx_vcpu_create(struct vcpu *vcpu)
{
	u32 state_pages = (u32)(ALIGN_UP(sizeof(struct vcpu_state), PAGE_SIZE) / PAGE_SIZE);
	struct vcpu_state *state = pool_alloc(state_pages);
	struct vmx_vcpu *v = state ? new_vcpu(vcpu) : NULL;
	int error = ERR_MEMORY;

	if (v) {
		v->enter = vmx_launch_variants[vmx_variant()];
		memset(v->msr_bitmap, 0xff, PAGE_SIZE); /* every MSR exits unless intercept_msr() says otherwise */
		init_vmcs(v);
		vcpu_state_reset(state);
		error = vmx_import_state(vcpu, state);
		if (error)
			vmx_vcpu_destroy(vcpu);
	}
	if (state)
		pool_free(state, state_pages);
	return error;
}

void vmx_vcpu_destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	if (!v)
		return;
	ASSERT(!v->loaded);
	vmx_deactivate(v);
	free_vcpu(v);
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

/* DR7 is 0x400 since the exit (SDM "Loading Host Control Registers, Debug Registers, MSRs"), so what is left in DR0-DR3 does nothing. */
void vmx_unload_debug(struct vmx_vcpu *v)
{
	if (!v->vcpu->debug_live)
		return;
	v->vcpu->debug_live = false;
	v->dr[0] = read_dr0();
	v->dr[1] = read_dr1();
	v->dr[2] = read_dr2();
	v->dr[3] = read_dr3();
	v->dr6 = read_dr6();
	vmx_set_primary(v, v->primary | (u32)PRIMARY_MOV_DR);
}

#define DR7_ENABLES BITS(7, 0)

void vmx_load_processor(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 count = switched_count();

	/* No instruction switches CR2; nothing of ours changes it while a vCPU is loaded (arch/x86_64/mmu/window.asm). */
	write_cr2(vcpu->reg[REG_CR2]);
	xstate_restore(vcpu->xsave);
	if (cpu_has(FEATURE_XSAVE) && vcpu->xcr0 != xstate_xcr0_max())
		xsetbv(0, vcpu->xcr0);
	if (cpu_has(FEATURE_XSAVES) && v->xss != xstate_xss_max())
		wrmsr(MSR_XSS, v->xss);
	for (u32 i = 0; i < count; i++)
		wrmsr(switched_msrs[i], v->msr[i]);
	v->loaded = true;
	/* Breakpoints that are armed must work before the guest touches a debug register. */
	if (vmread(VMCS_GUEST_DR7) & DR7_ENABLES)
		vmx_load_debug(v);
}

void vmx_unload_processor(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 count = switched_count();

	vmx_unload_debug(v);
	v->loaded = false;
	if (!(vcpu->cached & BIT(REG_CR2))) {
		vcpu->reg[REG_CR2] = read_cr2();
		vcpu->cached |= BIT(REG_CR2);
	}
	for (u32 i = 0; i < count; i++)
		v->msr[i] = rdmsr(switched_msrs[i]);
	if (cpu_has(FEATURE_XSAVES))
		v->xss = rdmsr(MSR_XSS);
	xstate_save(vcpu->xsave);
}

void vmx_set_xcr0(struct vcpu *vcpu, u64 value)
{
	vcpu->xcr0 = value;
	if (vmx_of(vcpu)->loaded && cpu_has(FEATURE_XSAVE))
		xsetbv(0, value);
}

void vmx_load(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 core = this_core()->index;
	const struct flush_target target = {.v = v};

	if (v->tlb_core != core) {
		vmx_flush(v->vpid_reused ? INVAL_TAG_REUSED : INVAL_VCPU_MIGRATED, &target);
		v->vpid_reused = false;
		v->tlb_core = core;
	}
	vmx_make_current(v);
	if (v->host_core != core) {
		vmx_write_host(v);
		v->host_core = core;
	}
	if (v->host_cr3 != vcpu->vm->root.cr3) {
		v->host_cr3 = vcpu->vm->root.cr3;
		vmwrite(VMCS_HOST_CR3, v->host_cr3);
	}
	ASSERT(read_cr3() == v->host_cr3);
	vmx_load_processor(vcpu);
}

/* The VMCS stays current: nothing uses it before the next VMPTRLD, and the same vCPU often comes back. */
void vmx_put(struct vcpu *vcpu)
{
	ASSERT(read_cr3() == vmx_of(vcpu)->host_cr3);
	vmx_unload_processor(vcpu);
}
