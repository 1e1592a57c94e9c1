#include "arch/x86_64/vmx/vpid.h"

#include "lib/string.h"

static bool test(const u64 *bits, u32 n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

static void set(u64 *bits, u32 n)
{
	bits[n / 64] |= BIT(n % 64);
}

void vpid_init(struct vpid_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
	set(pool->used, 0); /* the host runs under VPID 0 (SDM "Virtual Processor Identifiers (VPIDs)") */
	set(pool->ever, 0);
}

u16 vpid_alloc(struct vpid_pool *pool, bool *reused)
{
	for (u32 i = 1; i <= VPID_LIMIT; i++) {
		u32 vpid = (pool->last + i) % VPID_LIMIT;

		if (test(pool->used, vpid))
			continue;
		*reused = test(pool->ever, vpid);
		set(pool->used, vpid);
		set(pool->ever, vpid);
		pool->last = (u16)vpid;
		return (u16)vpid;
	}
	*reused = false;
	return 0;
}

void vpid_free(struct vpid_pool *pool, u16 vpid)
{
	if (vpid > 0 && vpid < VPID_LIMIT)
		pool->used[vpid / 64] &= ~BIT(vpid % 64);
}
