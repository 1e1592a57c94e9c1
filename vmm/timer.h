/* Timers in TSC time, one queue per physical core, driven by the core's local APIC timer. */
#ifndef VMM_TIMER_H
#define VMM_TIMER_H

#include "lib/list.h"
#include "lib/types.h"

struct timer {
	u64 deadline; /* TSC; ~0: not armed */
	void (*fire)(struct timer *timer); /* on the owning core, outside guest mode; may arm again */
	u32 core;
	struct list link;
};

void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
/* Arm (or move) on this core. Other cores' timers: not from here. */
void timer_arm(struct timer *timer, u64 deadline);
void timer_cancel(struct timer *timer);
/* Fire what is due, and program the APIC timer for the next. Called by the run loop and on HOST_VECTOR_TIMER. */
void timer_run(u64 now);

#endif
