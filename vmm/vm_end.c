/*
 * How a VM ends: the first cause is kept, its vCPUs leave their cores, and the last one to leave reports and takes it
 * down.
 */
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "core/time.h"
#include "lib/fmt.h"
#include "vmm/account.h"
#include "vmm/console.h"
#include "vmm/sched.h"

bool vm_ended(struct vm *vm)
{
	return __atomic_load_n(&vm->end_cause, __ATOMIC_ACQUIRE) != VM_END_NONE;
}

/* False: it has ended already, for another cause. */
static bool keep_cause(struct vm *vm, enum vm_end_cause cause, u64 code, const char *format, va_list args)
{
	bool first;

	lock_acquire(&vm->lock);
	first = !vm_ended(vm);
	if (first) {
		vm->end_code = code;
		fmt_vprint(vm->end_text, sizeof(vm->end_text), format, args);
		__atomic_store_n(&vm->end_cause, cause, __ATOMIC_RELEASE);
	}
	lock_release(&vm->lock);
	return first;
}

void vm_end(struct vm *vm, enum vm_end_cause cause, u64 code, const char *format, ...)
{
	va_list args;
	bool first;

	va_start(args, format);
	first = keep_cause(vm, cause, code, format, args);
	va_end(args);
	if (!first)
		return;
	/* A blocked vCPU is made ready, so that its own core finds the bit and takes it out. */
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		if (!vcpu || !(vm->vcpus_started & BIT(i)))
			continue;
		sched_kick(vcpu, ATTENTION_END);
		sched_wake(vcpu);
	}
}

void vm_vcpu_stuck(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	bool all;

	lock_acquire(&vm->lock);
	vm->vcpus_stuck |= (u32)BIT(vcpu->id);
	all = (vm->vcpus_started & ~vm->vcpus_stuck) == 0;
	lock_release(&vm->lock);
	if (all)
		vm_end(vm, VM_END_HALTED, 0, "halted for good at rip 0x%llx",
		       (unsigned long long)vcpu_get(vcpu, REG_RIP));
}

/* What the guest printed comes before the line that says how it ended. */
static void report(struct vm *vm)
{
	vm_console_finish(vm->console);
	log_line("vm %s: ended: %s", vm->config->name, vm->end_text);
	if (vm->config->stats)
		account_print(vm);
}

/* A VM that does not live longer than this would only begin again and again. */
#define SHORTEST_LIFE_NS 2000000000ull

/* What its config wants done after such an end. */
static enum config_end wanted(const struct vm *vm)
{
	switch (vm->end_cause) {
	case VM_END_EXIT:
		return vm->config->on_poweroff;
	case VM_END_RESET:
		return vm->config->on_reboot;
	case VM_END_TRIPLE_FAULT:
	case VM_END_HALTED:
	case VM_END_ERROR:
	case VM_END_CRASH:
		return vm->config->on_crash;
	default:
		return END_DESTROY;
	}
}

static bool begins_again(const struct vm *vm)
{
	if (wanted(vm) != END_RESTART)
		return false;
	if (ticks_to_ns(rdtsc() - vm->started_ticks) >= SHORTEST_LIFE_NS)
		return true;
	log_line("vm %s: not restarted: it ran for less than two seconds, and would only do so again",
		 vm->config->name);
	return false;
}

void vm_vcpu_gone(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (__atomic_sub_fetch(&vm->vcpus_live, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	report(vm);
	if (begins_again(vm))
		vm_restart(vm);
	else
		vm_destroy(vm);
}
