/* What vmm/cpuid.c takes from the machine, for tests that only need a policy. */
#include <stdlib.h>

#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/xstate.h"
#include "core/pool.h"
#include "core/time.h"
#include "tests/unit/fake_engine.h"

/* Tests that fake a whole core have their own. */
u64 tsc_hz __attribute__((weak)) = 1000000000;

void *pool_alloc(u32 pages)
{
	return aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
}

void pool_free(void *memory, u32 pages)
{
	(void)pages;
	free(memory);
}

struct cpuid_leaf features_cpuid(u32 leaf, u32 subleaf)
{
	return fake_host_cpuid(leaf, subleaf);
}

u64 xstate_xcr0_max(void)
{
	return ~0ull;
}
