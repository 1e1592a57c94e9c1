/* The life of a vCPU under VT-x. */
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "arch/x86_64/vmx/vpid.h"
#include "core/panic.h"
#include "core/pool.h"
#include "lib/string.h"

static struct spinlock vpid_lock = SPINLOCK_INIT;
static struct vpid_pool vpids; /* vpid_lock */

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
	v->active_core = v->core = NO_CORE;
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
