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

typedef enum verdict (*hypercall_t)(struct vcpu *vcpu);

/* Which bits of a register are the guest's: 32- and 16-bit code has the lower halves. */
static u64 register_mask(struct vcpu *vcpu)
{
	return vcpu_long_mode(vcpu) ? ~0ull : 0xffffffffull;
}

static enum verdict answer(struct vcpu *vcpu, s64 result)
{
	vcpu_set(vcpu, REG_RAX, (u64)result);
	return VERDICT_ADVANCE;
}

static enum verdict version(struct vcpu *vcpu)
{
	return answer(vcpu, HYPERCALL_ABI_VERSION);
}

static bool print(struct vcpu *vcpu, gpa_t gpa, u64 length)
{
	char chunk[CHUNK];

	for (u64 done = 0; done < length; done += CHUNK) {
		u64 n = MIN(length - done, (u64)CHUNK);

		if (guest_read(vcpu->vm, gpa + done, chunk, n))
			return false;
		vm_console_write(vcpu->vm->console, chunk, n);
	}
	return true;
}

/* All or nothing: the range is checked before the first byte is printed. */
static enum verdict console_write(struct vcpu *vcpu)
{
	u64 mask = register_mask(vcpu), length = vcpu->reg[REG_RCX] & mask;
	gpa_t gpa = vcpu->reg[REG_RBX] & mask;
	bool fits = length <= CONSOLE_WRITE_MAX && guest_memory_contains(&vcpu->vm->memory, gpa, length, false);

	return answer(vcpu, fits && print(vcpu, gpa, length) ? (s64)length : HYPERCALL_RANGE);
}

static enum verdict yield(struct vcpu *vcpu)
{
	(void)answer(vcpu, 0);
	return VERDICT_YIELD;
}

static enum verdict time_now(struct vcpu *vcpu)
{
	u64 ns = ticks_to_ns(rdtsc() - vcpu->vm->started_ticks);

	if (!vcpu_long_mode(vcpu))
		vcpu_set_sized(vcpu, REG_RDX, 4, ns >> 32);
	return answer(vcpu, (s64)ns);
}

static enum verdict exit_vm(struct vcpu *vcpu)
{
	u64 code = vcpu->reg[REG_RBX] & register_mask(vcpu);

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

/* General registers stand in the file at every exit. */
enum verdict handle_hypercall(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct hypercall_row *row;
	u64 number;

	(void)exit;
	if (UNLIKELY(vcpu_cpl(vcpu) != 0))
		return answer(vcpu, HYPERCALL_DENIED);
	number = vcpu->reg[REG_RAX];
	/* Which half of RAX counts is worth a question only when it matters. */
	if (UNLIKELY(number >= HYPERCALLS))
		number &= register_mask(vcpu);
	if (UNLIKELY(number >= HYPERCALLS))
		return answer(vcpu, HYPERCALL_UNKNOWN);
	row = &hypercalls[number];
	if (UNLIKELY(row->permission & vcpu->vm->forbidden))
		return answer(vcpu, HYPERCALL_DENIED);
	return row->call(vcpu);
}
