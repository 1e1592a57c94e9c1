/* What the hypervisor costs beside exits: from one VM to another, choosing who is next. Making a VM: struct vm. */
#ifndef VMM_OVERHEAD_H
#define VMM_OVERHEAD_H

#include "lib/types.h"

struct overhead_sum {
	u64 count, ticks, least;
};

static inline void overhead_add(struct overhead_sum *sum, u64 ticks)
{
	sum->count++;
	sum->ticks += ticks;
	if (sum->count == 1 || ticks < sum->least)
		sum->least = ticks;
}

/* Cores by how many vCPUs they have: 1, 2 and 3, 4 to 7, and so on. */
#define OVERHEAD_CLASSES 8u

/* One per core, owned by it. Ticks. */
struct core_overhead {
	u64 left;    /* TSC when the last vCPU left its loop; 0: the core was idle since */
	u64 leaving; /* what putting it back into the queue took; 0: it was not put back */
	struct overhead_sum change; /* from the last instruction for one VM to the first for another */
	struct overhead_sum schedule[OVERHEAD_CLASSES]; /* one back into the queue, the next out of it */
};

/* One has been put back and another chosen, `ticks` for the latter, on a core with `count` vCPUs. */
static inline void overhead_scheduled(struct core_overhead *own, u32 count, u64 ticks)
{
	u32 class = count ? 31 - (u32)__builtin_clz(count) : 0;

	if (own->leaving)
		overhead_add(&own->schedule[MIN(class, OVERHEAD_CLASSES - 1)], own->leaving + ticks);
}

/* Of every core, to the log. */
void overhead_print(void);

#endif
