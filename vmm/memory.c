/*
 * Accesses that second-level translation refused: RAM that is backed on demand and was not touched before, a device, or
 * nothing that the VM has.
 */
#include "lib/fmt.h"
#include "vmm/handlers.h"
#include "vmm/mmio.h"
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
	if (bus_find_mmio(&vm->bus, memory->gpa))
		return "a device";
	return guest_memory_contains(&vm->memory, memory->gpa, 1, false) ? "memory without that right" :
									   "outside its memory";
}

/*
 * Page tables, code, or a stack or descriptor table at which an event was being delivered, in a device: no machine does
 * that.
 */
static bool by_instruction(const struct vcpu *vcpu, const struct exit_memory *memory)
{
	return !memory->page_walk && !(memory->access & MEMORY_EXECUTE) && vcpu->events.in_flight.type == EVENT_NONE;
}

static enum verdict __attribute__((noinline)) refuse(struct vcpu *vcpu, const struct exit_memory *memory)
{
	char where[32] = "unknown";

	if (memory->gva_valid)
		fmt_print(where, sizeof(where), "0x%llx", (unsigned long long)memory->gva);
	vm_end(vcpu->vm, VM_END_ERROR, memory->gpa, "%s of %s: gpa 0x%llx, linear %s%s, rip 0x%llx",
	       access_name(memory), place_name(vcpu->vm, memory), (unsigned long long)memory->gpa, where,
	       memory->page_walk ? " (page walk)" : "", (unsigned long long)vcpu_get(vcpu, REG_RIP));
	return VERDICT_END;
}

/*
 * RAM that is backed on demand is asked first. Whatever met it, delivering an event or walking page tables too, does so
 * once more.
 */
enum verdict handle_memory(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_memory *memory = &exit->memory;
	const struct bus_mmio_range *range;
	struct vm *vm = vcpu->vm;

	if (vm->demand.on && !memory->present && guest_memory_is_ram(&vm->memory, &vm->demand, memory->gpa))
		return LIKELY(guest_memory_touch(vm, memory->gpa) == OK) ? VERDICT_RETRY : VERDICT_END;
	range = bus_find_mmio(&vm->bus, memory->gpa);
	return LIKELY(range && by_instruction(vcpu, memory)) ? mmio_emulate(vcpu, memory, range) :
							       refuse(vcpu, memory);
}
