/*
 * Virtual-processor identifiers, one a vCPU, for all cores alike. Pure; the caller holds the lock that guards the pool.
 */
#ifndef ARCH_VMX_VPID_H
#define ARCH_VMX_VPID_H

#include "lib/types.h"

/* As many as there can be vCPUs (MAX_VMS times MAX_VCPUS), and 0, which is the host's. */
#define VPID_LIMIT 4097u

struct vpid_pool {
	u64 used[(VPID_LIMIT + 63) / 64];
	u64 ever[(VPID_LIMIT + 63) / 64]; /* given out at least once: its translations may still be in some core */
	u16 last;
};

void vpid_init(struct vpid_pool *pool);
/*
 * A free VPID, 0 when none is left. Those never given out before go first, then the one freed longest ago, roughly
 * (next fit). *reused: another vCPU had it, so each core must flush it before it runs under it.
 */
u16 vpid_alloc(struct vpid_pool *pool, bool *reused);
void vpid_free(struct vpid_pool *pool, u16 vpid);

#endif
