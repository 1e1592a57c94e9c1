/*
 * The local APIC's timer (SDM "APIC Timer"). Nothing counts: the count is computed from the VM's time when it is read.
 */
#include "vmm/devices/vlapic_page.h"

#define NS_PER_TICK (1000000000u / LAPIC_TIMER_HZ)
#define STANDS	    (~0ull)

static u64 now_ns(const struct vlapic *lapic)
{
	return lapic->device.services->now_ns(lapic->device.services->context);
}

static void arm(struct vlapic *lapic, u64 deadline)
{
	if (deadline != lapic->timer.deadline_ns)
		lapic->device.services->arm(lapic->device.services->context, &lapic->timer, deadline);
}

static u32 mode(const struct vlapic *lapic)
{
	return lapic->timer_mode;
}

/* Divide configuration: bits 3, 1 and 0 are an exponent less one, 7 standing for no division. */
static u32 divider(const struct vlapic *lapic)
{
	u32 value = lapic->timer_divider;

	return 1u << ((((value & 3) | (value >> 1 & 4)) + 1) & 7);
}

static u64 period_ns(const struct vlapic *lapic)
{
	return (u64)vlapic_get(lapic, LAPIC_TIMER_COUNT) * divider(lapic) * NS_PER_TICK;
}

/* The next end of a period after `now`: periods that nobody saw are skipped, not made up for. */
static u64 next_period(const struct vlapic *lapic, u64 now)
{
	u64 step = MAX(period_ns(lapic), lapic->device.services->shortest_period_ns), last = lapic->count_deadline_ns;

	return last + step > now ? last + step : now + step - (now - last) % step;
}

static void timer_fired(struct device *device, UNUSED u32 which)
{
	struct vlapic *lapic = CONTAINER_OF(device, struct vlapic, device);

	if (mode(lapic) == TIMER_DEADLINE)
		lapic->tsc_deadline = 0;
	else if (mode(lapic) == TIMER_PERIODIC && vlapic_get(lapic, LAPIC_TIMER_COUNT))
		lapic->count_deadline_ns = next_period(lapic, now_ns(lapic));
	else
		lapic->count_deadline_ns = STANDS;
	if (mode(lapic) == TIMER_PERIODIC)
		arm(lapic, lapic->count_deadline_ns);
	vlapic_local_interrupt(lapic, vlapic_get(lapic, LAPIC_LVT_TIMER) & (u32)(LVT_MASKED | LVT_VECTOR));
}

void vlapic_timer_init(struct vlapic *lapic)
{
	lapic->timer = (struct device_timer){.deadline_ns = TIMER_NEVER, .device = &lapic->device, .fire = timer_fired};
	lapic->count_deadline_ns = STANDS;
}

void vlapic_timer_stop(struct vlapic *lapic)
{
	lapic->count_deadline_ns = STANDS;
	lapic->tsc_deadline = 0;
	arm(lapic, TIMER_NEVER);
}

/* "In TSC-deadline mode, writes to the initial-count register are ignored." */
void vlapic_timer_set_count(struct vlapic *lapic, u32 count)
{
	bool ignored = mode(lapic) == TIMER_DEADLINE;

	vlapic_set(lapic, LAPIC_TIMER_COUNT, ignored ? 0 : count);
	if (ignored)
		return;
	lapic->count_deadline_ns = count ? now_ns(lapic) + period_ns(lapic) : STANDS;
	arm(lapic, lapic->count_deadline_ns);
}

u32 vlapic_timer_count(struct vlapic *lapic)
{
	u64 now = now_ns(lapic), tick = divider(lapic) * NS_PER_TICK, left;

	if (mode(lapic) == TIMER_DEADLINE || lapic->count_deadline_ns == STANDS || lapic->count_deadline_ns <= now)
		return 0;
	left = (lapic->count_deadline_ns - now + tick - 1) / tick;
	/* While a period is being stretched the count stands at its beginning. */
	return (u32)MIN(left, (u64)vlapic_get(lapic, LAPIC_TIMER_COUNT));
}

/* A running count goes on from where it is, at the new rate. */
void vlapic_timer_set_divider(struct vlapic *lapic, u32 value)
{
	u32 left = vlapic_timer_count(lapic);

	vlapic_set(lapic, LAPIC_TIMER_DIV, value);
	lapic->timer_divider = value;
	if (!left)
		return;
	lapic->count_deadline_ns = now_ns(lapic) + (u64)left * divider(lapic) * NS_PER_TICK;
	arm(lapic, lapic->count_deadline_ns);
}

/* Changing to or from TSC-deadline mode disarms the timer (SDM "TSC-Deadline Mode"). */
void vlapic_timer_set_lvt(struct vlapic *lapic, u32 value)
{
	bool was_deadline = mode(lapic) == TIMER_DEADLINE;

	vlapic_set(lapic, LAPIC_LVT_TIMER, value);
	lapic->timer_mode = LVT_TIMER_MODE(value);
	if (was_deadline == (mode(lapic) == TIMER_DEADLINE))
		return;
	vlapic_timer_stop(lapic);
	vlapic_set(lapic, LAPIC_TIMER_COUNT, 0);
}

/* Written in another mode, the MSR stays 0. A deadline in the past fires at once. */
void vlapic_timer_set_deadline(struct vlapic *lapic, u64 tsc)
{
	const struct device_services *services = lapic->device.services;

	if (mode(lapic) != TIMER_DEADLINE || tsc == lapic->tsc_deadline)
		return;
	lapic->tsc_deadline = tsc;
	if (tsc)
		services->arm_tsc(services->context, &lapic->timer,
				  lapic->wires->host_tsc(lapic->wires->context, lapic, tsc));
	else
		arm(lapic, TIMER_NEVER);
}
