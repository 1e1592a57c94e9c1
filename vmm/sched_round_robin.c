/* Round-robin: a queue, first come first served, a slice of the same length for each, scaled by its VM's weight. */
#include "vmm/sched.h"

#include "vmm/vm.h"

#define NORMAL_WEIGHT 256u

static void init(struct sched_queue *queue)
{
	list_init(&queue->ready);
}

static void enqueue(struct sched_queue *queue, struct vcpu *vcpu)
{
	list_append(&queue->ready, &vcpu->queue_link);
	queue->ready_count++;
}

static struct vcpu *pick(struct sched_queue *queue)
{
	struct vcpu *vcpu;

	if (list_empty(&queue->ready))
		return NULL;
	vcpu = LIST_ITEM(queue->ready.next, struct vcpu, queue_link);
	list_remove(&vcpu->queue_link);
	queue->ready_count--;
	return vcpu;
}

/* It waits for its turn; only an idle core must be told. */
static bool wake(struct sched_queue *queue, struct vcpu *vcpu)
{
	enqueue(queue, vcpu);
	return !queue->running;
}

/* A blocked vCPU stands in no queue: nothing to remember about it. */
static void block(struct sched_queue *queue, struct vcpu *vcpu)
{
	(void)queue;
	(void)vcpu;
}

static void yield(struct sched_queue *queue, struct vcpu *vcpu)
{
	enqueue(queue, vcpu);
}

static u64 slice(struct sched_queue *queue, struct vcpu *vcpu)
{
	u32 weight = vcpu->vm->config->weight;

	return queue->slice_ticks * (weight ? weight : NORMAL_WEIGHT) / NORMAL_WEIGHT;
}

const struct sched_ops sched_round_robin = {
	.name = "round-robin",
	.init = init,
	.pick = pick,
	.wake = wake,
	.block = block,
	.yield = yield,
	.slice = slice,
};
