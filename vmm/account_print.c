/* What a VM's exits were and cost, for its end: `stats = on`. */
#include "core/log.h"
#include "core/time.h"
#include "vmm/account.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* Reasons that the engine does not know are unknown exits. */
static struct engine_reason reason_of(const struct vm *vm, u32 raw)
{
	struct engine_reason reason;

	if (raw < ACCOUNT_REASONS && vm->engine->reason(raw, &reason))
		return reason;
	return (struct engine_reason){.name = "beyond the table", .kind = EXIT_UNKNOWN};
}

static struct account_sum of_kind(const struct vm *vm, enum exit_kind kind)
{
	struct account_sum sum = {0, 0};

	for (u32 raw = 0; raw <= ACCOUNT_REASONS; raw++) {
		struct account_sum row = account_of_raw(vm, raw);

		if (!row.count || reason_of(vm, raw).kind != kind)
			continue;
		sum.count += row.count;
		sum.ticks += row.ticks;
	}
	return sum;
}

static void print_row(const struct vm *vm, const char *name, struct account_sum row)
{
	if (!row.count)
		return;
	log_line("vm %s: exits: %-18s %12llu  %10llu us  %8llu ticks each", vm->config->name, name,
		 (unsigned long long)row.count, (unsigned long long)ticks_to_us(row.ticks),
		 (unsigned long long)(row.ticks / row.count));
}

static void print_raw(const struct vm *vm, u32 raw)
{
	struct account_sum row = account_of_raw(vm, raw);
	struct engine_reason reason = reason_of(vm, raw);

	if (row.count)
		log_line("vm %s: raw:   %3u %-32s %12llu", vm->config->name, reason.code, reason.name,
			 (unsigned long long)row.count);
}

void account_print(struct vm *vm)
{
	struct account_sum all = account_of_all(vm);
	u64 guest = 0;

	for (u32 kind = 0; kind < EXIT_KINDS; kind++)
		print_row(vm, exit_table[kind].name, of_kind(vm, kind));
	print_row(vm, "all", all);
	for (u32 i = 0; i < vm->vcpu_count; i++)
		guest += account_guest_ticks(&vm->vcpu[i]->account);
	log_line("vm %s: time in the guest %llu us, in handlers %llu us", vm->config->name,
		 (unsigned long long)ticks_to_us(guest), (unsigned long long)ticks_to_us(all.ticks));
	for (u32 raw = 0; raw <= ACCOUNT_REASONS; raw++)
		print_raw(vm, raw);
	log_line("vm %s: made in %llu ticks, %llu of them to zero its RAM; %llu KiB beyond its RAM", vm->config->name,
		 (unsigned long long)vm->create_ticks, (unsigned long long)vm->zero_ticks,
		 (unsigned long long)(vm->own_bytes / KIB));
	if (vm->demand.on)
		log_line("vm %s: %llu of %llu KiB of its RAM backed on demand", vm->config->name,
			 (unsigned long long)(vm->demand.backed / KIB), (unsigned long long)(vm->memory.total / KIB));
}
