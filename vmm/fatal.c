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
	const char *raw = vcpu->engine->raw_name(exit->raw);

	vcpu->engine->dump(vcpu, exit);
	vm_end(vcpu->vm, VM_END_ERROR, exit->raw, "%s exit (reason %u, %s) at rip 0x%llx", exit_table[exit->kind].name,
	       exit->raw, raw ? raw : "no name", (unsigned long long)vcpu_get(vcpu, REG_RIP));
	return VERDICT_END;
}
