/* Exits after which this VM, and no other, is over. */
#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

enum verdict handle_triple_fault(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	vm_end(vcpu->vm, VM_END_TRIPLE_FAULT, 0, "triple fault at rip 0x%llx",
	       (unsigned long long)vcpu_get(vcpu, REG_RIP));
	return VERDICT_END;
}

/* The dump is for whoever has to find out; the end line names the exit. */
enum verdict handle_unexpected(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct engine_reason reason;

	if (!vcpu->engine->reason(exit->raw, &reason))
		reason = (struct engine_reason){.name = "no name", .code = exit->raw};
	vcpu->engine->dump(vcpu, exit);
	vm_end(vcpu->vm, VM_END_ERROR, reason.code, "%s exit (reason %u, %s) at rip 0x%llx",
	       exit_table[exit->kind].name, reason.code, reason.name, (unsigned long long)vcpu_get(vcpu, REG_RIP));
	return VERDICT_END;
}
