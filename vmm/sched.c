#include "vmm/sched.h"

#include "arch/x86_64/cpu/lapic.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "vmm/core.h"

static const struct sched_ops *policy;
static u32 cores;

static struct sched_queue *queue_of(u32 core)
{
	return &core_vmm_table[core].queue;
}

void sched_init(const struct sched_ops *ops, u32 core_limit, u64 slice_ticks)
{
	policy = ops;
	cores = core_limit;
	for (u32 i = 0; i < core_limit; i++) {
		struct sched_queue *queue = queue_of(i);

		queue->slice_ticks = slice_ticks;
		policy->init(queue);
	}
}

/*
 * The interrupt makes the other core exit, or leave its idle halt. It is sent after what it is to look at was written;
 * a core that has already looked takes it right at its next entry, since cores take interrupts in guest mode and the
 * halt only.
 */
static void interrupt_core(u32 core)
{
	if (core != this_core()->index)
		lapic_ipi(percpu_table[core].apic_id, HOST_VECTOR_KICK);
}

static void set_attention(struct vcpu *vcpu, u64 attention)
{
	__atomic_fetch_or(&vcpu->attention, attention, __ATOMIC_SEQ_CST);
}

/* With the queue's lock held. Returns whether the core must be interrupted. */
static bool make_ready(struct sched_queue *queue, struct vcpu *vcpu)
{
	vcpu->state = VCPU_RUNNABLE;
	if (!policy->wake(queue, vcpu))
		return false;
	if (queue->running)
		set_attention(queue->running, ATTENTION_RESCHEDULE);
	return true;
}

u64 sched_cores_for(u64 affinity)
{
	u64 all = BITS(core_count - 1, 0);

	return affinity ? affinity & all : all;
}

/* Fewest vCPUs first, the lowest index among equals. The counts may move meanwhile: then it is a little less even. */
static u32 choose_core(u64 allowed)
{
	u32 best = (u32)__builtin_ctzll(allowed);

	for (u32 i = best + 1; i < cores && i < core_count; i++) {
		u32 count = __atomic_load_n(&queue_of(i)->count, __ATOMIC_RELAXED);

		if (allowed & BIT(i) && count < __atomic_load_n(&queue_of(best)->count, __ATOMIC_RELAXED))
			best = i;
	}
	return best;
}

void sched_place(struct vcpu *vcpu)
{
	u64 allowed = sched_cores_for(vcpu->affinity);
	struct sched_queue *queue;
	bool interrupt;

	ASSERT(allowed && vcpu->state == VCPU_CREATED);
	vcpu->core = choose_core(allowed);
	queue = queue_of(vcpu->core);
	lock_acquire(&queue->lock);
	__atomic_store_n(&queue->count, queue->count + 1, __ATOMIC_RELAXED);
	interrupt = make_ready(queue, vcpu);
	lock_release(&queue->lock);
	if (interrupt)
		interrupt_core(vcpu->core);
}

void sched_wake(struct vcpu *vcpu)
{
	struct sched_queue *queue = queue_of(vcpu->core);
	bool interrupt = false;

	lock_acquire(&queue->lock);
	if (vcpu->state == VCPU_BLOCKED)
		interrupt = make_ready(queue, vcpu);
	else if (vcpu->state == VCPU_RUNNING)
		vcpu->wake_pending = true;
	lock_release(&queue->lock);
	if (interrupt)
		interrupt_core(vcpu->core);
}

/* It runs on its core or it does not: when it does not, it sees the bits before it enters. */
void sched_kick(struct vcpu *vcpu, u64 attention)
{
	set_attention(vcpu, attention);
	if (__atomic_load_n(&queue_of(vcpu->core)->running, __ATOMIC_SEQ_CST) == vcpu)
		interrupt_core(vcpu->core);
}

static void set_running(struct sched_queue *queue, struct vcpu *vcpu)
{
	__atomic_store_n(&queue->running, vcpu, __ATOMIC_SEQ_CST);
}

static struct sched_queue *lock_own(void)
{
	struct sched_queue *queue = &this_core()->vmm->queue;

	lock_acquire(&queue->lock);
	return queue;
}

struct vcpu *sched_pick(void)
{
	struct sched_queue *queue = lock_own();
	struct vcpu *vcpu = policy->pick(queue);

	if (vcpu)
		vcpu->state = VCPU_RUNNING;
	set_running(queue, vcpu);
	lock_release(&queue->lock);
	return vcpu;
}

u64 sched_slice(struct vcpu *vcpu)
{
	return policy->slice(&this_core()->vmm->queue, vcpu);
}

void sched_yield(struct vcpu *vcpu)
{
	struct sched_queue *queue = lock_own();

	vcpu->state = VCPU_RUNNABLE;
	policy->yield(queue, vcpu);
	set_running(queue, NULL);
	lock_release(&queue->lock);
}

bool sched_block(struct vcpu *vcpu)
{
	struct sched_queue *queue = lock_own();
	bool blocked = !vcpu->wake_pending;

	vcpu->wake_pending = false;
	if (blocked) {
		vcpu->state = VCPU_BLOCKED;
		policy->block(queue, vcpu);
	} else {
		vcpu->state = VCPU_RUNNABLE;
		policy->yield(queue, vcpu);
	}
	set_running(queue, NULL);
	lock_release(&queue->lock);
	return blocked;
}

void sched_remove(struct vcpu *vcpu)
{
	struct sched_queue *queue = lock_own();

	vcpu->state = VCPU_ENDED;
	__atomic_store_n(&queue->count, queue->count - 1, __ATOMIC_RELAXED);
	if (queue->running == vcpu)
		set_running(queue, NULL);
	lock_release(&queue->lock);
}
