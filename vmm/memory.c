/*
 * Accesses that second-level translation refused. RAM is mapped as a whole when the VM is made, so this is either a
 * device or nothing that the VM has.
 */
#include "lib/fmt.h"
#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

static const char *access_name(const struct exit_memory *memory)
{
	if (memory->access & MEMORY_EXECUTE)
		return "execute";
	return memory->access & MEMORY_WRITE ? "write" : "read";
}

static const char *place_name(const struct vm *vm, const struct exit_memory *memory)
{
	if (bus_has_mmio(&vm->bus, memory->gpa))
		return "a device register that needs an instruction we cannot emulate yet";
	return guest_memory_contains(&vm->memory, memory->gpa, 1, false) ? "memory without that right" :
									   "outside its memory";
}

enum verdict handle_memory(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_memory *memory = &exit->memory;
	char where[32] = "unknown";

	if (memory->gva_valid)
		fmt_print(where, sizeof(where), "0x%llx", (unsigned long long)memory->gva);
	vm_end(vcpu->vm, VM_END_ERROR, memory->gpa, "%s of %s: gpa 0x%llx, linear %s%s, rip 0x%llx",
	       access_name(memory), place_name(vcpu->vm, memory), (unsigned long long)memory->gpa, where,
	       memory->page_walk ? " (page walk)" : "", (unsigned long long)vcpu_get(vcpu, REG_RIP));
	return VERDICT_END;
}
