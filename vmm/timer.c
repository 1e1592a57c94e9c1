#include "vmm/timer.h"

#include "arch/x86_64/cpu/lapic.h"
#include "core/percpu.h"
#include "vmm/core.h"

#define NOT_ARMED (~0ull)

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
	timer->deadline = NOT_ARMED;
	timer->fire = fire;
	timer->core = this_core()->index;
	list_init(&timer->link);
}

static struct timer *first(struct core_vmm *core)
{
	return list_empty(&core->timers) ? NULL : LIST_ITEM(core->timers.next, struct timer, link);
}

/* The APIC timer follows the head of the queue; it is written only when the head's deadline is another one. */
static void program(struct core_vmm *core)
{
	const struct timer *head = first(core);
	u64 deadline = head ? head->deadline : NOT_ARMED;

	if (deadline == core->programmed)
		return;
	core->programmed = deadline;
	lapic_timer(deadline);
}

/* Sorted by deadline; equal ones fire in the order of their arming. */
static void insert(struct core_vmm *core, struct timer *timer)
{
	struct list *where = core->timers.next;

	while (where != &core->timers && LIST_ITEM(where, struct timer, link)->deadline <= timer->deadline)
		where = where->next;
	list_insert_before(where, &timer->link);
}

void timer_arm(struct timer *timer, u64 deadline)
{
	struct core_vmm *core = this_core()->vmm;

	list_remove(&timer->link);
	timer->core = this_core()->index;
	timer->deadline = deadline;
	if (deadline != NOT_ARMED)
		insert(core, timer);
	program(core);
}

void timer_cancel(struct timer *timer)
{
	timer_arm(timer, NOT_ARMED);
}

/*
 * A timer that arms itself for a time already past must not keep the core here for ever: only what was due at `now`
 * fires, and what is armed meanwhile waits for the interrupt, which comes at once.
 */
void timer_run(u64 now)
{
	struct core_vmm *core = this_core()->vmm;
	struct list *later = core->timers.next, due;

	while (later != &core->timers && LIST_ITEM(later, struct timer, link)->deadline <= now)
		later = later->next;
	list_cut(&core->timers, later, &due);
	while (!list_empty(&due)) {
		struct timer *timer = LIST_ITEM(due.next, struct timer, link);

		list_remove(&timer->link);
		timer->deadline = NOT_ARMED;
		timer->fire(timer);
	}
	/* The interrupt that brought us here has used up what was programmed. */
	if (core->programmed <= now)
		core->programmed = NOT_ARMED;
	program(core);
}
