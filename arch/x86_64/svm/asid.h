/*
 * ASIDs: each core hands out its own, so that no core ever needs another's TLB flushed for reuse. A generation ends
 * when the numbers run out; then everything on that core is flushed once and the numbers start again. ASID 0 is the
 * host's. Pure.
 */
#ifndef ARCH_SVM_ASID_H
#define ARCH_SVM_ASID_H

#include "lib/types.h"

/* Owned by its core. */
struct asid_pool {
	u32 count;	/* ASIDs the processor has, ASID 0 included */
	bool flush_one; /* it can flush one ASID */
	u32 next;	/* next to hand out, 1..count */
	u64 generation; /* from 1 */
};

/* What a vCPU holds; owned by the core on which it is current. Zeroed: holds nothing. */
struct asid_tag {
	u32 asid;
	u32 core;
	u64 generation;
};

enum asid_action {
	ASID_KEEP,	/* the vCPU's translations on this core are still its own */
	ASID_FRESH,	/* a number no one had in this generation: nothing to flush */
	ASID_FLUSH_ONE, /* the vCPU keeps its number: flush that at this VMRUN */
	ASID_FLUSH_ALL, /* a new generation began: flush everything at this VMRUN */
};

/*
 * Of a core that has just turned SVM on: the first one to run there begins a generation, since whoever used SVM before
 * us (firmware, a hypervisor before a warm start) may have left anything under any number (INVAL_CORE_STARTED).
 */
void asid_init(struct asid_pool *pool, u32 count, bool flush_one);
/*
 * Make `tag` valid on `core`, whose pool is given. `renew`: its old translations must not be used again
 * (INVAL_ASID_NEW, INVAL_ASID_FLUSH).
 */
enum asid_action asid_assign(struct asid_pool *pool, struct asid_tag *tag, u32 core, bool renew);

#endif
