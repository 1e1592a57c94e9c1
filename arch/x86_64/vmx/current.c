/*
 * Which VMCS is current and active where (SDM vol. 3 "Virtual-Machine Control Structures" and "Software Use of
 * Virtual-Machine Control Structures"): a processor may keep the data of every VMCS it has loaded and not cleared, so
 * it must be cleared there before another core loads it. A put vCPU stays active on its core, since it usually comes
 * back to it, and VMRESUME is cheaper than VMLAUNCH.
 */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"

/* This core's part of a deactivation. */
static void clear_here(struct vmx_vcpu *v)
{
	struct vmx_core *core = vmx_this_core();

	ASSERT(!v->loaded);
	ASSERT(vmclear(pool_pa(v->vmcs)));
	if (core->current == v)
		core->current = NULL;
	v->enter = vmx_launch_variants[vmx_variant()];
	__atomic_store_n(&v->active_core, NO_CORE, __ATOMIC_RELEASE);
}

static void clear_if_here(void *context)
{
	struct vmx_vcpu *v = context;

	if (__atomic_load_n(&v->active_core, __ATOMIC_ACQUIRE) == this_core()->index)
		clear_here(v);
}

void vmx_deactivate(struct vmx_vcpu *v)
{
	u32 core = __atomic_load_n(&v->active_core, __ATOMIC_ACQUIRE);

	if (core == NO_CORE)
		return;
	if (core == this_core()->index)
		clear_here(v);
	else
		smp_call_all(clear_if_here, v);
}

void vmx_make_current(struct vmx_vcpu *v)
{
	struct vmx_core *core = vmx_this_core();
	u32 index = this_core()->index;

	if (core->current == v)
		return;
	if (UNLIKELY(v->active_core != index)) {
		vmx_deactivate(v);
		__atomic_store_n(&v->active_core, index, __ATOMIC_RELEASE);
	}
	ASSERT(vmptrld(pool_pa(v->vmcs)));
	core->current = v;
}

struct vmx_vcpu *vmx_hold(struct vmx_vcpu *v)
{
	struct vmx_vcpu *before = vmx_this_core()->current;

	vmx_make_current(v);
	return before;
}

void vmx_release(struct vmx_vcpu *v, struct vmx_vcpu *before)
{
	if (before == v)
		return;
	vmx_deactivate(v);
	/* One that is put may have been taken over by another core meanwhile: it must not be touched here. */
	if (before && before->loaded)
		vmx_make_current(before);
}
