/* Hypercalls: a table of numbers; the ABI is vmm/hypercall_abi.h, in words in docs/hypercalls.md. */
#include "vmm/hypercall_abi.h"

#include "arch/x86_64/cpu/insn.h"
#include "core/time.h"
#include "vmm/console.h"
#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define CONSOLE_WRITE_MAX 4096u
#define CHUNK		  256u

/* Arguments as the guest's mode gives them; the result goes to RAX unless the verdict ends the VM. */
struct hypercall {
	u64 argument[4];
	bool long_mode;
	s64 result;
};

typedef enum verdict (*hypercall_t)(struct vcpu *vcpu, struct hypercall *call);

static enum verdict version(struct vcpu *vcpu, struct hypercall *call)
{
	(void)vcpu;
	call->result = HYPERCALL_ABI_VERSION;
	return VERDICT_ADVANCE;
}

/* All or nothing: the range is checked before the first byte is printed. */
static enum verdict console_write(struct vcpu *vcpu, struct hypercall *call)
{
	gpa_t gpa = call->argument[0];
	u64 length = call->argument[1];
	char chunk[CHUNK];

	call->result = HYPERCALL_RANGE;
	if (length > CONSOLE_WRITE_MAX || !guest_memory_contains(&vcpu->vm->memory, gpa, length, false))
		return VERDICT_ADVANCE;
	for (u64 done = 0; done < length; done += CHUNK) {
		u64 n = MIN(length - done, (u64)CHUNK);

		if (guest_read(vcpu->vm, gpa + done, chunk, n))
			return VERDICT_ADVANCE;
		vm_console_write(vcpu->vm->console, chunk, n);
	}
	call->result = (s64)length;
	return VERDICT_ADVANCE;
}

static enum verdict yield(struct vcpu *vcpu, struct hypercall *call)
{
	(void)vcpu;
	call->result = 0;
	return VERDICT_YIELD;
}

static enum verdict time_now(struct vcpu *vcpu, struct hypercall *call)
{
	u64 ns = ticks_to_ns(rdtsc() - vcpu->vm->started_ticks);

	call->result = (s64)ns;
	if (!call->long_mode)
		vcpu_set_sized(vcpu, REG_RDX, 4, ns >> 32);
	return VERDICT_ADVANCE;
}

static enum verdict exit_vm(struct vcpu *vcpu, struct hypercall *call)
{
	u64 code = call->argument[0];

	vm_end(vcpu->vm, VM_END_EXIT, code, "exit code %llu", (unsigned long long)code);
	return VERDICT_END;
}

/* `permission`: VM_MAY_*, what the VM must have been given for it. */
static const struct hypercall_row {
	hypercall_t call;
	u32 permission;
} hypercalls[HYPERCALLS] = {
	[HYPERCALL_VERSION] = {version, 0},
	[HYPERCALL_CONSOLE_WRITE] = {console_write, VM_MAY_PRINT},
	[HYPERCALL_YIELD] = {yield, 0},
	[HYPERCALL_TIME] = {time_now, 0},
	[HYPERCALL_EXIT] = {exit_vm, VM_MAY_EXIT},
};

static enum verdict call_number(struct vcpu *vcpu, u64 number, struct hypercall *call)
{
	const struct hypercall_row *row = number < HYPERCALLS ? &hypercalls[number] : NULL;

	if (vcpu_cpl(vcpu) != 0) {
		call->result = HYPERCALL_DENIED;
	} else if (!row) {
		call->result = HYPERCALL_UNKNOWN;
	} else if (row->permission & ~vcpu->vm->permissions) {
		call->result = HYPERCALL_DENIED;
	} else {
		return row->call(vcpu, call);
	}
	return VERDICT_ADVANCE;
}

enum verdict handle_hypercall(struct vcpu *vcpu, const struct vm_exit *exit)
{
	static const enum reg arguments[4] = {REG_RBX, REG_RCX, REG_RDX, REG_RSI};
	bool long_mode = vcpu_long_mode(vcpu);
	u64 mask = long_mode ? ~0ull : 0xffffffffull;
	struct hypercall call;
	enum verdict verdict;

	(void)exit;
	call.long_mode = long_mode;
	/* General registers stand in the file at every exit. */
	for (u32 i = 0; i < ARRAY_SIZE(arguments); i++)
		call.argument[i] = vcpu->reg[arguments[i]] & mask;
	verdict = call_number(vcpu, vcpu->reg[REG_RAX] & mask, &call);
	if (verdict != VERDICT_END)
		vcpu->reg[REG_RAX] = (u64)call.result & mask;
	return verdict;
}
