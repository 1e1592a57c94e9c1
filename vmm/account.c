/*
 * Sums over the vCPUs of a VM. Each counter is one aligned word that one core writes, so reading it meanwhile is
 * harmless. Pure.
 */
#include "vmm/account.h"

#include "vmm/vcpu.h"
#include "vmm/vm.h"

static void add(struct account_sum *sum, struct account_sum more)
{
	sum->count += more.count;
	sum->ticks += more.ticks;
}

struct account_sum account_of_raw(const struct vm *vm, u32 raw)
{
	struct account_sum sum = {0, 0};

	for (u32 i = 0; i < vm->vcpu_count; i++)
		add(&sum, (struct account_sum){vm->vcpu[i]->account.count[raw], vm->vcpu[i]->account.ticks[raw]});
	return sum;
}

struct account_sum account_of_code(const struct vm *vm, u32 code)
{
	struct account_sum sum = {0, 0};
	struct engine_reason reason;

	for (u32 raw = 0; raw < ACCOUNT_REASONS; raw++)
		if (vm->engine->reason(raw, &reason) && reason.code == code)
			add(&sum, account_of_raw(vm, raw));
	return sum;
}

struct account_sum account_of_all(const struct vm *vm)
{
	struct account_sum sum = {0, 0};

	for (u32 raw = 0; raw <= ACCOUNT_REASONS; raw++)
		add(&sum, account_of_raw(vm, raw));
	return sum;
}
