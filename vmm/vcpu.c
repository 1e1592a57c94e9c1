#include "vmm/vcpu.h"

#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/safe.h"
#include "arch/x86_64/cpu/xstate.h"
#include "core/pool.h"
#include "vmm/fetch.h"
#include "vmm/msr.h"
#include "vmm/vm.h"

/*
 * Without IA32_ARCH_CAPABILITIES nothing is promised to the guest; only Intel's processors have IA32_MISC_ENABLE, and
 * need it.
 */
static struct msr_host host_msrs(void)
{
	struct msr_host host = {0, 0};

	if (!cpu_has(FEATURE_ARCH_CAPABILITIES) || !rdmsr_safe(MSR_ARCH_CAPABILITIES, &host.arch_capabilities))
		host.arch_capabilities = 0;
	if (!rdmsr_safe(MSR_MISC_ENABLE, &host.misc_enable))
		host.misc_enable = ~0ull;
	return host;
}

static u32 xsave_pages(void)
{
	return (u32)(ALIGN_UP((u64)xstate_size(), PAGE_SIZE) / PAGE_SIZE);
}

static u32 vcpu_pages(void)
{
	return (u32)(ALIGN_UP(sizeof(struct vcpu), PAGE_SIZE) / PAGE_SIZE);
}

static void free_parts(struct vcpu *vcpu)
{
	if (vcpu->msrs)
		pool_delete(vcpu->msrs, sizeof(*vcpu->msrs));
	if (vcpu->fetched)
		pool_delete(vcpu->fetched, FETCHED * sizeof(*vcpu->fetched));
	if (vcpu->xsave)
		pool_free(vcpu->xsave, xsave_pages());
	vcpu->vm->vcpu[vcpu->id] = NULL;
	pool_free(vcpu, vcpu_pages());
}

int vcpu_create(struct vm *vm, u32 id, u64 affinity)
{
	struct vcpu *vcpu = pool_alloc(vcpu_pages());
	struct msr_host host = host_msrs();
	int error;

	if (!vcpu)
		return ERR_MEMORY;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->engine = vm->engine;
	vcpu->affinity = affinity;
	vcpu->last_core = ~0u;
	vcpu->state = VCPU_CREATED;
	list_init(&vcpu->queue_link);
	vm->vcpu[id] = vcpu;
	vcpu->xsave = pool_alloc(xsave_pages());
	vcpu->msrs = pool_new(sizeof(*vcpu->msrs));
	vcpu->fetched = pool_new(FETCHED * sizeof(*vcpu->fetched));
	error = ERR_MEMORY;
	if (vcpu->xsave && vcpu->msrs && vcpu->fetched) {
		xstate_reset(vcpu->xsave);
		msr_state_reset(vcpu->msrs, id, &host);
		error = vcpu->engine->vcpu_create(vcpu);
	}
	if (error) {
		free_parts(vcpu);
		return error;
	}
	msr_give_owned(vcpu);
	return OK;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu->engine->vcpu_destroy(vcpu);
	free_parts(vcpu);
}
