/*
 * What waits to be delivered to a vCPU, and the decision what may be delivered at this entry: a pure state machine
 * (SDM "Event Injection", "Interruptibility State", "Priority Among Concurrent Events").
 */
#ifndef VMM_EVENT_H
#define VMM_EVENT_H

#include "lib/types.h"

enum event_type {
	EVENT_NONE,
	EVENT_INTERRUPT,
	EVENT_NMI,
	EVENT_EXCEPTION,
	EVENT_SOFT_INTERRUPT,
	EVENT_PRIV_SOFT_EXCEPTION,
	EVENT_SOFT_EXCEPTION,
};

struct event {
	enum event_type type;
	u8 vector;
	bool has_error;
	u32 error;
	u8 length; /* software events: instruction length */
};

/* Owned by the core on which the vCPU is current, apart from the atomics. */
struct event_state {
	struct event in_flight; /* delivery interrupted by an exit: goes first */
	struct event exception; /* raised by a handler: belongs to the current instruction */
	bool nmi_pending;
	bool irq_line; /* a virtual interrupt controller has something; irq_take() of the vCPU tells the vector */
	bool irq_by_processor; /* behind a HLT: it has something that the processor itself will deliver, once the vCPU is awake */
};

#define BLOCKED_BY_STI	  BIT(0)
#define BLOCKED_BY_MOV_SS BIT(1)
#define BLOCKED_BY_SMI	  BIT(2)
#define BLOCKED_BY_NMI	  BIT(3)

struct event_decision {
	struct event inject; /* EVENT_NONE: nothing. EVENT_INTERRUPT: the vector is to be taken from the controller */
	bool want_irq_window, want_nmi_window;
};

/*
 * `interruptibility`: BLOCKED_*; `rflags_if`: the guest's RFLAGS.IF. Does not change `state`; event_delivered() does.
 */
struct event_decision event_decide(const struct event_state *state, u32 interruptibility, bool rflags_if);
void event_delivered(struct event_state *state, const struct event *delivered);
/*
 * Queue an exception; together with one already queued it makes #DF or a triple fault by the SDM's table
 * ("Conditions for Generating a Double Fault"). False: triple fault.
 */
bool event_queue_exception(struct event_state *state, u8 vector, bool has_error, u32 error);

#endif
