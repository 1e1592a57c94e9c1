/* Raw VT-x exit reasons into neutral exits. */
#ifndef ARCH_VMX_EXIT_H
#define ARCH_VMX_EXIT_H

#include "arch/x86_64/vmx/reason.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "vmm/vcpu.h"

/* The part of vmx_decode_exit() for reasons that have facts to fetch, and for those that are in no row. */
void vmx_decode_facts(struct vcpu *vcpu, u32 reason, struct vm_exit *exit);

/*
 * Fill `exit` from the VMCS after an exit. Physical interrupts, NMIs and machine checks have been dealt with on return.
 * Bit 31 of the reason tells an entry that failed; its reasons (33, 34, 41) are rows of their own. Bits 30:16 are
 * modifiers we have no use for.
 */
static inline void vmx_decode_exit(struct vcpu *vcpu, struct vm_exit *exit)
{
	u32 reason = (u16)vmread32(VMCS_EXIT_REASON);

	exit->raw = reason;
	if (LIKELY(reason < EXIT_REASONS && reason_table[reason].decode == DECODE_NOTHING &&
		   !reason_table[reason].in_delivery))
		exit->kind = (enum exit_kind)reason_table[reason].kind;
	else
		vmx_decode_facts(vcpu, reason, exit);
}

/* From enter.asm, after an exit. */
void vmx_exited(struct vcpu *vcpu, struct vm_exit *exit);
/* From enter.asm, after a VMLAUNCH or VMRESUME that failed without an exit. 1: VMfailInvalid. 2: VMfailValid, the error is in INSTRUCTION_ERROR. */
void vmx_entry_refused(struct vcpu *vcpu, struct vm_exit *exit, u32 failure);

#endif
