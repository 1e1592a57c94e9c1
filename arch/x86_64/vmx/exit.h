/* Raw VT-x exit reasons into neutral exits. */
#ifndef ARCH_VMX_EXIT_H
#define ARCH_VMX_EXIT_H

#include "arch/x86_64/vmx/reason.h"
#include "vmm/vcpu.h"

/* Fill `exit` from the VMCS after an exit. Physical interrupts, NMIs and machine checks have been dealt with on return. */
void vmx_decode_exit(struct vcpu *vcpu, struct vm_exit *exit);
/* After a VMLAUNCH or VMRESUME that failed without an exit: `failure` as vmx_enter() returned it. */
void vmx_entry_refused(struct vm_exit *exit, u32 failure);

#endif
