/*
 * The scheduler: one file a student can replace. Each physical core has its own queue; the ops are called with the
 * core's scheduler lock held and say only which vCPU comes next. vmm/sched.c does the locking, the kicking and the
 * states.
 */
#ifndef VMM_SCHED_H
#define VMM_SCHED_H

#include "core/lock.h"
#include "lib/list.h"
#include "vmm/vcpu.h"

/* One core's queue. Guarded by `lock`; a core takes another core's lock only to wake or place a vCPU there. */
struct sched_queue {
	struct spinlock lock;
	struct list ready;
	u32 count; /* vCPUs placed on this core: ready, running or blocked */
	u32 ready_count;
	struct vcpu *running; /* picked and not yet yielded, blocked or removed; NULL: the core idles */
	u64 slice_ticks; /* (i) a normal slice */
	void *policy; /* a policy's own */
};

struct sched_ops {
	const char *name;
	void (*init)(struct sched_queue *queue);
	/* Take the vCPU to run next out of the queue; NULL: none is ready. */
	struct vcpu *(*pick)(struct sched_queue *queue);
	/* It became ready. True: the core should look at its queue at once. */
	bool (*wake)(struct sched_queue *queue, struct vcpu *vcpu);
	/* The running one halts. */
	void (*block)(struct sched_queue *queue, struct vcpu *vcpu);
	/* The running one goes to the back: its slice is over or it yielded. */
	void (*yield)(struct sched_queue *queue, struct vcpu *vcpu);
	/* Ticks of TSC it may run now. */
	u64 (*slice)(struct sched_queue *queue, struct vcpu *vcpu);
};

extern const struct sched_ops sched_round_robin;

void sched_init(const struct sched_ops *ops, u32 cores, u64 slice_ticks);
/* Cores a vCPU may be placed on: its affinity (0: any) among those that exist. */
u64 sched_cores_for(u64 affinity);
/* Choose a core within the vCPU's affinity (the one with fewest) and make it ready there. Any core. */
void sched_place(struct vcpu *vcpu);
/* Set ATTENTION_* bits; a vCPU in guest mode on another core exits for them, a blocked one stays blocked. Any core. */
void sched_kick(struct vcpu *vcpu, u64 attention);
/*
 * Make a blocked vCPU ready; kicks its core when needed. No effect on a ready one, and remembered for one about to
 * block. Any core.
 */
void sched_wake(struct vcpu *vcpu);
/* For the run loop, on its own core. */
struct vcpu *sched_pick(void);
u64 sched_slice(struct vcpu *vcpu);
void sched_yield(struct vcpu *vcpu);
/* False: a wake came meanwhile, it is ready again. */
bool sched_block(struct vcpu *vcpu);
/* It ended: out of the books. */
void sched_remove(struct vcpu *vcpu);

#endif
