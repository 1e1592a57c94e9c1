/* EXIT_TASK_SWITCH: vmm/task.h does it on a copy of the vCPU's state, which then becomes the vCPU's. */
#include "core/panic.h"
#include "core/percpu.h"
#include "vmm/core.h"
#include "vmm/cpuid.h"
#include "vmm/handlers.h"
#include "vmm/task.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* Vectors whose exceptions push an error code; all others are raised without. */
#define HAS_ERROR_CODE (BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP))

/* An instruction that switches tasks is done when its task goes on; a fault's instruction is executed again. */
static u64 next_rip(struct vcpu *vcpu, const struct exit_task_switch *how)
{
	return (u32)(vcpu_get(vcpu, REG_RIP) + (how->by_instruction ? vcpu_instruction_length(vcpu) : 0));
}

static enum verdict raise(struct vcpu *vcpu, const struct task_fault *fault)
{
	switch (fault->kind) {
	case TASK_FAULT_NONE:
	case TASK_FAULT_RETRY:
		return VERDICT_RETRY;
	case TASK_FAULT_PAGE:
		return vcpu_raise_page_fault(vcpu, fault->linear.address, fault->linear.error);
	case TASK_FAULT_EXCEPTION:
		return HAS_ERROR_CODE & BIT(fault->vector) ? vcpu_raise_error(vcpu, fault->vector, fault->error) :
							     vcpu_raise(vcpu, fault->vector);
	default:
		vm_end(vcpu->vm, VM_END_ERROR, fault->linear.gpa,
		       "task switch through memory that is not RAM: gpa 0x%llx, rip 0x%llx",
		       (unsigned long long)fault->linear.gpa, (unsigned long long)vcpu_get(vcpu, REG_RIP));
		return VERDICT_END;
	}
}

/*
 * The checks on what the processor was about to switch to were made before; here the state becomes the new task's,
 * faults and all.
 */
static enum verdict commit(struct vcpu *vcpu, struct task *task, gva_t new_descriptor, u64 rip,
			   const struct exit_task_switch *how)
{
	u64 old_cr3 = task->state->reg[REG_CR3];

	task_commit(task, new_descriptor, rip, how->has_error, how->error);
	/* Half done, and no way to do it again: only a guest that races with itself over its page tables comes here. */
	if (task->fault.kind == TASK_FAULT_RETRY)
		task->fault.kind = TASK_FAULT_NO_RAM;
	if (vcpu->engine->import_state(vcpu, task->state)) {
		vm_end(vcpu->vm, VM_END_ERROR, 0, "task switch to a state that no processor can be in: tss 0x%x",
		       task->selector);
		return VERDICT_END;
	}
	if (task->state->reg[REG_CR3] != old_cr3)
		vcpu->engine->flush_guest(vcpu);
	return raise(vcpu, &task->fault);
}

enum verdict handle_task_switch(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_task_switch *how = &exit->task;
	struct task task = {
		.vm = vcpu->vm,
		.state = this_core()->vmm->scratch,
		.source = how->source,
		.selector = how->selector,
		.external = how->source == TASK_GATE && !how->by_instruction,
		.physical_bits = vcpu->vm->cpuid->physical_bits,
		.view = linear_view_system(vcpu),
	};
	u64 rip = next_rip(vcpu, how);
	gva_t new_descriptor;

	vcpu->engine->export_state(vcpu, task.state);
	if (!task_prepare(&task, &new_descriptor))
		return raise(vcpu, &task.fault);
	return commit(vcpu, &task, new_descriptor, rip, how);
}
