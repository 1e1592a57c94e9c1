/* Pages of the hypervisor's pool, for tests. */
#include <stdlib.h>
#include <string.h>

#include "core/layout.h"
#include "core/pool.h"

void *pool_alloc(u32 pages)
{
	void *memory = aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);

	return memory ? memset(memory, 0, pages * PAGE_SIZE) : NULL;
}

void pool_free(void *memory, u32 pages)
{
	(void)pages;
	free(memory);
}
