/* Into the guest and back, and what is needed around it. Every instruction here is paid for at every exit. */
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/vmx/exit.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "vmm/loop.h"

/* enter.asm knows these places. */
_Static_assert(offsetof(struct vcpu, reg) == 0 && offsetof(struct vmx_vcpu, host_rsp) == 0 &&
		       offsetof(struct vmx_vcpu, enter) == 8 && offsetof(struct percpu, current) == 24,
	       "as in enter.asm");

void vmx_run(struct vcpu *vcpu)
{
	vmx_run_at(vcpu->reg, vmx_of(vcpu));
}

static inline void enter(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	vcpu->dirty = 0;
	v->enter(vcpu->reg, v);
}

void __attribute__((noinline)) vmx_enter(struct vcpu *vcpu)
{
	if (vcpu->dirty & ~REGS_CACHED_ALWAYS)
		vmx_write_back(vcpu);
	enter(vcpu);
}

void vmx_exited(struct vcpu *vcpu)
{
	vmx_decode_exit(vcpu);
	if (UNLIKELY(!vcpu_exited(vcpu)))
		return;
	if (UNLIKELY(vcpu->dirty != BIT(REG_RIP))) {
		vmx_enter(vcpu);
		return;
	}
	vmwrite(VMCS_GUEST_RIP, vcpu->reg[REG_RIP]);
	enter(vcpu);
}

void vmx_entry_refused(struct vcpu *vcpu, u32 failure)
{
	vmx_decode_refusal(vcpu, failure);
	if (vcpu_exited(vcpu))
		vmx_enter(vcpu);
}

/*
 * Valid for the exits of instructions and of software events; a handler asks only after such (SDM "VM-Exit Instruction
 * Length").
 */
u32 vmx_instruction_length(struct vcpu *vcpu)
{
	if (!(vcpu->cached & CACHED_LENGTH)) {
		vcpu->end.length = vmread32(VMCS_EXIT_INSTRUCTION_LENGTH);
		vcpu->cached |= CACHED_LENGTH;
	}
	return (u32)vcpu->end.length;
}

static struct instruction_end __attribute__((noinline)) partly_known(struct vcpu *vcpu)
{
	vmx_fetch(vcpu, BIT(REG_RIP) | BIT(REG_RFLAGS));
	return (struct instruction_end){vmx_instruction_length(vcpu), vmx_interruptibility(vcpu)};
}

/* After most exits nothing of it has been read yet. What is read here is not kept: nobody asks again. */
struct instruction_end vmx_instruction_end(struct vcpu *vcpu)
{
	if (UNLIKELY(vcpu->cached & (BIT(REG_RIP) | BIT(REG_RFLAGS))))
		return partly_known(vcpu);
	vcpu->reg[REG_RIP] = vmread(VMCS_GUEST_RIP);
	vcpu->reg[REG_RFLAGS] = vmread(VMCS_GUEST_RFLAGS);
	vcpu->cached |= BIT(REG_RIP) | BIT(REG_RFLAGS);
	return (struct instruction_end){vmread32(VMCS_EXIT_INSTRUCTION_LENGTH), vmread32(VMCS_GUEST_INTERRUPTIBILITY)};
}

/*
 * SDM "VMX-Preemption Timer": it counts down whenever bit `timer_rate` of the TSC changes, and is saved at exits, so it
 * is written here only. It is also what brings a guest that has interrupts off back in time where a processor keeps
 * physical interrupts masked then (Bochs).
 */
bool vmx_set_slice(UNUSED struct vcpu *vcpu, u64 ticks)
{
	if (!vmx_setup.preemption_timer)
		return false;
	vmwrite32(VMCS_PREEMPTION_TIMER, (u32)MIN(ticks >> vmx_setup.timer_rate, 0xffffffffull));
	return true;
}

void vmx_set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before = vmx_hold(v);

	vcpu->tsc_offset = offset;
	vmwrite64(VMCS_TSC_OFFSET, offset);
	vmx_release(v, before);
}
