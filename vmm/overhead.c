#include "vmm/overhead.h"

#include "core/log.h"
#include "core/percpu.h"
#include "vmm/core.h"

static void print(u32 core, const char *what, const struct overhead_sum *sum)
{
	if (sum->count)
		log_line("core %u: %s: %llu times, %llu ticks each, %llu at least", core, what,
			 (unsigned long long)sum->count, (unsigned long long)(sum->ticks / sum->count),
			 (unsigned long long)sum->least);
}

void overhead_print(void)
{
	static const char *const classes[OVERHEAD_CLASSES] = {
		"scheduling 1 vCPU",	      "scheduling 2 to 3 vCPUs",      "scheduling 4 to 7 vCPUs",
		"scheduling 8 to 15 vCPUs",   "scheduling 16 to 31 vCPUs",    "scheduling 32 to 63 vCPUs",
		"scheduling 64 to 127 vCPUs", "scheduling 128 vCPUs or more",
	};

	for (u32 core = 0; core < core_count; core++) {
		const struct core_overhead *own = &core_vmm_table[core].overhead;

		print(core, "from one VM to another", &own->change);
		for (u32 i = 0; i < OVERHEAD_CLASSES; i++)
			print(core, classes[i], &own->schedule[i]);
	}
}
