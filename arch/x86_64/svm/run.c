/* One run of a vCPU: from the register file through VMRUN to a neutral exit. */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/mitigation.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/svm/maps.h"
#include "arch/x86_64/svm/svm.h"
#include "core/panic.h"
#include "core/pool.h"
#include "lib/string.h"
#include "vmm/loop.h"

static struct svm_core *core_state(void)
{
	return this_core()->engine;
}

static void svm_vcpu_free(struct svm_vcpu *svm)
{
	if (svm->vmcb)
		pool_free(svm->vmcb, 1);
	if (svm->msr_map)
		pool_free(svm->msr_map, MSR_MAP_SIZE / PAGE_SIZE);
	pool_delete(svm, sizeof(*svm));
}

static int svm_vcpu_create(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = pool_new(sizeof(*svm));

	if (!svm)
		return ERR_MEMORY;
	svm->vmcb = pool_alloc(1);
	svm->msr_map = pool_alloc(MSR_MAP_SIZE / PAGE_SIZE);
	if (!svm->vmcb || !svm->msr_map) {
		svm_vcpu_free(svm);
		return ERR_MEMORY;
	}
	svm->vmcb_pa = pool_pa(svm->vmcb);
	svm->shadow_rip = ~0ull;
	svm->enter = this_core()->feature_mask & MITIGATE_RSB_FILL ? svm_enter_stuffed : svm_enter_plain;
	vcpu->engine_state = svm;
	svm_control_init(vcpu);
	return OK;
}

static void svm_vcpu_destroy(struct vcpu *vcpu)
{
	svm_vcpu_free(svm_of(vcpu));
	vcpu->engine_state = NULL;
}

/* The vCPU's ASID on this core, and what VMRUN is to flush. */
static void tag(struct svm_vcpu *svm)
{
	static const u8 controls[] = {
		[ASID_KEEP] = TLB_KEEP,
		[ASID_FRESH] = TLB_KEEP,
		[ASID_FLUSH_ONE] = TLB_FLUSH_ASID,
		[ASID_FLUSH_ALL] = TLB_FLUSH_ALL,
	};
	struct vmcb *vmcb = svm->vmcb;
	bool renew = UNLIKELY(svm->renew) && __atomic_exchange_n(&svm->renew, false, __ATOMIC_ACQUIRE);
	enum asid_action action = asid_assign(&core_state()->asids, &svm->tag, this_core()->index, renew);

	vmcb->tlb_control = controls[action];
	if (LIKELY(action == ASID_KEEP))
		return;
	vmcb->asid = svm->tag.asid;
	svm_dirty(svm, CLEAN_ASID);
}

static void run_once(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	u64 root = read_cr3();

	if (UNLIKELY(vcpu->dirty))
		svm_write_back(vcpu);
	svm->vmcb->rax = vcpu->reg[REG_RAX];
	svm_gif_clear();
	/*
	 * With GIF = 0 nothing can come between the look at `renew` and VMRUN; a kick that is pending ends VMRUN at
	 * once.
	 */
	tag(svm);
	svm->enter(vcpu->reg, svm->vmcb_pa, pool_pa(core_state()->host));
	svm_gif_set();
	ASSERT(read_cr3() == root);
	svm->vmcb->clean = svm_features.clean_bits ? CLEAN_ALL : 0;
	vcpu->reg[REG_RAX] = svm->vmcb->rax;
	vcpu->cached = REGS_CACHED_ALWAYS;
	svm_collect_tpr(svm);
	svm_collect_events(vcpu);
	svm_decode_exit(vcpu, &vcpu->exit);
}

static void svm_run(struct vcpu *vcpu)
{
	do
		run_once(vcpu);
	while (vcpu_exited(vcpu));
}

static u32 svm_instruction_length(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	/* An I/O intercept tells the next RIP on every processor. */
	if (vmcb->exit_code == SVM_EXIT_IOIO)
		return (u32)(vmcb->exit_info2 - vmcb->rip) & 15;
	/* An intercepted task switch is no intercepted instruction: the next RIP is not saved. */
	if (vmcb->exit_code == SVM_EXIT_TASK_SWITCH)
		return 0;
	return svm_features.nrips && vmcb->next_rip ? (u32)(vmcb->next_rip - vmcb->rip) & 15 : 0;
}

static struct instruction_end svm_instruction_end(struct vcpu *vcpu)
{
	svm_fetch(vcpu, BIT(REG_RIP) | BIT(REG_RFLAGS));
	return (struct instruction_end){svm_instruction_length(vcpu), svm_interruptibility(vcpu)};
}

static void svm_set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	vcpu->tsc_offset = offset;
	svm_of(vcpu)->vmcb->tsc_offset = offset;
	svm_dirty(svm_of(vcpu), CLEAN_INTERCEPTS);
}

static void svm_flush_guest(struct vcpu *vcpu)
{
	svm_of(vcpu)->renew = true;
}

static bool svm_set_slice(struct vcpu *vcpu UNUSED, u64 ticks UNUSED)
{
	return false; /* SVM has no preemption timer */
}

const struct engine_ops svm_engine = {
	.name = "svm",
	.title = "AMD-V",
	.probe = svm_probe,
	.core_enable = svm_core_enable,
	.core_disable = svm_core_disable,
	.vm_create = svm_vm_create,
	.vm_destroy = svm_vm_destroy,
	.vcpu_create = svm_vcpu_create,
	.vcpu_destroy = svm_vcpu_destroy,
	.load = svm_load,
	.put = svm_put,
	.run = svm_run,
	.fetch = svm_fetch,
	.instruction_end = svm_instruction_end,
	.instruction_length = svm_instruction_length,
	.interruptibility = svm_interruptibility,
	.end_shadow = svm_end_shadow,
	.set_single_step = svm_set_single_step,
	.inject = svm_inject,
	.request_window = svm_request_window,
	.assist_apic = svm_assist_apic,
	.show_apic = svm_show_apic,
	.get_segment = svm_get_segment,
	.segment_attributes = svm_segment_attributes,
	.cpl = svm_cpl,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.get_dr = svm_get_dr,
	.set_dr = svm_set_dr,
	.set_xcr0 = svm_set_xcr0,
	.set_pdptes = NULL,
	.export_state = svm_export_state,
	.import_state = svm_import_state,
	.map = svm_map,
	.map_page = svm_map_page,
	.unmap = svm_unmap,
	.protect = svm_protect,
	.memory_written = svm_memory_written,
	.set_tsc_offset = svm_set_tsc_offset,
	.set_slice = svm_set_slice,
	.flush_guest = svm_flush_guest,
	.limit_cpuid = NULL,
	.intercept_msr = svm_intercept_msr,
	.dump = svm_dump,
	.reason = svm_reason,
	.reason_state = svm_reason_state,
};
