#include "vmm/account.h"

#include "core/log.h"
#include "core/time.h"
#include "lib/fmt.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

struct account_row {
	u64 count, ticks;
};

static struct account_row sum_kind(const struct vm *vm, u32 kind)
{
	struct account_row sum = {0, 0};

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		sum.count += vm->vcpu[i]->account.count[kind];
		sum.ticks += vm->vcpu[i]->account.ticks[kind];
	}
	return sum;
}

static u64 sum_raw(const struct vm *vm, u32 raw)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++)
		sum += vm->vcpu[i]->account.raw[raw];
	return sum;
}

static void print_row(const char *vm_name, const char *name, const struct account_row *row)
{
	log_line("vm %s: exits: %-18s %12llu  %10llu us  %8llu ticks each", vm_name, name,
		 (unsigned long long)row->count, (unsigned long long)ticks_to_us(row->ticks),
		 (unsigned long long)(row->ticks / row->count));
}

static void print_raw(const struct vm *vm, u32 raw)
{
	u64 count = sum_raw(vm, raw);
	const char *name = raw < ACCOUNT_RAW ? vm->engine->raw_name(raw) : "beyond the table";

	if (count)
		log_line("vm %s: raw:   %3u %-32s %12llu", vm->config->name, raw, name ? name : "unnamed",
			 (unsigned long long)count);
}

void account_print(struct vm *vm)
{
	const char *name = vm->config->name;
	struct account_row all = {0, 0};
	u64 guest = 0;

	for (u32 kind = 0; kind < EXIT_KINDS; kind++) {
		struct account_row row = sum_kind(vm, kind);

		if (!row.count)
			continue;
		print_row(name, exit_table[kind].name, &row);
		all.count += row.count;
		all.ticks += row.ticks;
	}
	for (u32 i = 0; i < vm->vcpu_count; i++)
		guest += vm->vcpu[i]->account.guest_ticks;
	if (all.count)
		print_row(name, "all", &all);
	log_line("vm %s: time in the guest %llu us, in handlers %llu us", name, (unsigned long long)ticks_to_us(guest),
		 (unsigned long long)ticks_to_us(all.ticks));
	for (u32 raw = 0; raw <= ACCOUNT_RAW; raw++)
		print_raw(vm, raw);
}
