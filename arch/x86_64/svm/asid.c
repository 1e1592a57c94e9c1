#include "arch/x86_64/svm/asid.h"

void asid_init(struct asid_pool *pool, u32 count)
{
	pool->count = count;
	pool->next = 1;
	/* Not 0, so that a zeroed tag never looks valid. */
	pool->generation = 1;
}

enum asid_action asid_assign(struct asid_pool *pool, struct asid_tag *tag, u32 core, bool renew)
{
	enum asid_action action = ASID_FRESH;

	if (!renew && tag->core == core && tag->generation == pool->generation)
		return ASID_KEEP;
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
