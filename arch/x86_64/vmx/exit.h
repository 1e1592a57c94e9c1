/* Raw VT-x exit reasons into neutral exits. */
#ifndef ARCH_VMX_EXIT_H
#define ARCH_VMX_EXIT_H

#include "arch/x86_64/vmx/qualification.h"
#include "arch/x86_64/vmx/reason.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "vmm/vcpu.h"

/*
 * What reg[] holds after an exit: the general registers as enter.asm stored them, and EFER, which a guest changes by
 * WRMSR only, and whose LMA follows CR0.PG, which is ours. So are the other bits of CR0 and CR4 on which paging
 * depends: they stay in reg[] (registers.c).
 */
#define CACHED_AFTER_EXIT (REGS_CACHED_ALWAYS | BIT(REG_EFER) | CACHED_PAGING)

/*
 * What vmx_instruction_end() answers, at once. Every processor has these fields, so that asking for an error once is
 * enough.
 */
static inline void vmx_read_instruction(struct vcpu *vcpu)
{
	vmcs_read_unchecked(ENCODING_GUEST_RIP, &vcpu->reg[REG_RIP]);
	vmcs_read_unchecked(ENCODING_GUEST_RFLAGS, &vcpu->reg[REG_RFLAGS]);
	vmcs_read_unchecked(ENCODING_EXIT_INSTRUCTION_LENGTH, &vcpu->end.length);
	vmcs_read_to(ENCODING_GUEST_INTERRUPTIBILITY, &vcpu->end.interruptibility);
	vcpu->cached = CACHED_AFTER_EXIT | BIT(REG_RIP) | BIT(REG_RFLAGS) | CACHED_LENGTH | CACHED_INTERRUPTIBILITY |
		       CACHED_END;
}

/* The part of vmx_decode_exit() for all reasons but the most frequent, and for those that are in no row. */
void vmx_decode_facts(struct vcpu *vcpu, u64 reason);
void vmx_decode_string(struct vcpu *vcpu, u64 qualification);

static inline void vmx_decode_port(struct vcpu *vcpu)
{
	u64 qualification = vmread(VMCS_EXIT_QUALIFICATION);

	vmx_decode_io(qualification, &vcpu->exit.io);
	if (UNLIKELY(vcpu->exit.io.string))
		vmx_decode_string(vcpu, qualification);
}

static inline void vmx_take_instruction(struct vcpu *vcpu, u64 reason)
{
	vcpu->exit.kind = (enum exit_kind)reason_table[reason].kind;
	vmx_read_instruction(vcpu);
}

/*
 * Fill vcpu->exit from the VMCS after an exit. Physical interrupts, NMIs and machine checks have been dealt with on
 * return. Bit 31 of the reason tells an entry that failed; its reasons (33, 34, 41) are rows of their own. Bits 30:16
 * are modifiers we have no use for.
 */
static inline void vmx_decode_exit(struct vcpu *vcpu)
{
	u64 reason = (u16)vmread32(VMCS_EXIT_REASON);
	const struct reason_row *row = &reason_table[reason];

	vcpu->exit.raw = (u32)reason;
	if (LIKELY(reason < EXIT_REASONS && row->decode == DECODE_INSTRUCTION)) {
		vmx_take_instruction(vcpu, reason);
	} else if (reason == REASON_IO) {
		vmx_take_instruction(vcpu, reason);
		vmx_decode_port(vcpu);
	} else {
		vmx_decode_facts(vcpu, reason);
	}
}

/*
 * The same after a VMLAUNCH or VMRESUME that failed without an exit. 1: VMfailInvalid. 2: VMfailValid, the error is in
 * INSTRUCTION_ERROR.
 */
void vmx_decode_refusal(struct vcpu *vcpu, u32 failure);

/* Called by enter.asm only (run.c): they go into the guest again, or return to leave it. */
void vmx_enter(struct vcpu *vcpu);
void vmx_exited(struct vcpu *vcpu);
void vmx_entry_refused(struct vcpu *vcpu, u32 failure);

#endif
