#include "arch/x86_64/svm/asid.h"

void asid_init(struct asid_pool *pool, u32 count, bool flush_one)
{
	/* Not generation 0, so that a zeroed tag never looks valid. */
	*pool = (struct asid_pool){.count = count, .next = count, .generation = 1, .flush_one = flush_one};
}

enum asid_action asid_assign(struct asid_pool *pool, struct asid_tag *tag, u32 core, bool renew)
{
	enum asid_action action = ASID_FRESH;

	if (tag->core == core && tag->generation == pool->generation) {
		if (!renew)
			return ASID_KEEP;
		if (pool->flush_one)
			return ASID_FLUSH_ONE;
	}
	if (pool->next >= pool->count) {
		pool->generation++;
		pool->next = 1;
		action = ASID_FLUSH_ALL;
	}
	tag->asid = pool->next++;
	tag->core = core;
	tag->generation = pool->generation;
	return action;
}
