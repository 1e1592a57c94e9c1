#include "vmm/cpuid_account.h"

#include "vmm/account.h"
#include "vmm/vm.h"

/* From C, D, E, F to F, E, D, C. */
#define REVERSED 3u

static const struct cpuid_leaf nothing;

static struct cpuid_leaf count_leaf(struct account_sum sum)
{
	return (struct cpuid_leaf){.eax = (u32)sum.count};
}

static struct cpuid_leaf cycles_leaf(struct account_sum sum)
{
	return (struct cpuid_leaf){.ebx = (u32)(sum.ticks >> 32), .ecx = (u32)sum.ticks};
}

static struct cpuid_leaf leaf_of(const struct vm *vm, u32 code, struct cpuid_leaf (*form)(struct account_sum sum))
{
	switch (vm->engine->reason_state(code)) {
	case REASON_UNDEFINED:
		return (struct cpuid_leaf){.edx = ~0u};
	case REASON_OFF:
		return nothing;
	default:
		return form(account_of_code(vm, code));
	}
}

struct cpuid_leaf cpuid_account(const struct vm *vm, u32 leaf, u32 subleaf)
{
	enum config_accounting order = vm->config->cpuid_accounting;

	if (order == ACCOUNTING_OFF)
		return nothing;
	switch (order == ACCOUNTING_REVERSED ? leaf ^ REVERSED : leaf) {
	case CPUID_ACCOUNT_EXITS:
		return count_leaf(account_of_all(vm));
	case CPUID_ACCOUNT_CYCLES:
		return cycles_leaf(account_of_all(vm));
	case CPUID_ACCOUNT_EXITS_OF:
		return leaf_of(vm, subleaf, count_leaf);
	case CPUID_ACCOUNT_CYCLES_OF:
		return leaf_of(vm, subleaf, cycles_leaf);
	default:
		return nothing;
	}
}
