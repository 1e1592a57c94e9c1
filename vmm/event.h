/*
 * What waits to be delivered to a vCPU, and the decision what may be delivered at this entry: a pure state machine
 * (SDM "Event Injection", "Interruptibility State", "Priority Among Concurrent Events").
 */
#ifndef VMM_EVENT_H
#define VMM_EVENT_H

#include "arch/x86_64/cpu/regs.h"
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

/* Copied by one instruction. */
struct event {
	u8 type; /* enum event_type */
	u8 vector;
	bool has_error;
	u8 length; /* software events: instruction length */
	u32 error;
};

/* In `irq`: the VM's 8259 asks, and tells the vector when it is acknowledged. */
#define EVENT_IRQ_PIC BIT(8)

/* Owned by the core on which the vCPU is current, apart from the atomics. */
struct event_state {
	struct event in_flight; /* delivery interrupted by an exit: goes first */
	struct event exception; /* raised by a handler: belongs to the current instruction */
	bool nmi_pending;
	/* What a virtual interrupt controller has for the vCPU's irq_take(): a vector, or EVENT_IRQ_PIC; 0: nothing. */
	u16 irq;
	/* Behind a HLT: it has something that the processor itself will deliver, once the vCPU is awake. */
	bool irq_by_processor;
};

#define BLOCKED_BY_STI	  BIT(0)
#define BLOCKED_BY_MOV_SS BIT(1)
#define BLOCKED_BY_SMI	  BIT(2)
#define BLOCKED_BY_NMI	  BIT(3)
/* Not of an engine's interruptibility: RFLAGS.IF is clear, in that flag's place. */
#define BLOCKED_BY_IF	  RFLAGS_IF

/* Whose turn it is. */
enum event_source {
	EVENT_FROM_NOBODY,
	EVENT_FROM_EXIT, /* in flight: delivered again as it was */
	EVENT_FROM_HANDLER,
	EVENT_FROM_OUTSIDE, /* an NMI */
	EVENT_FROM_CONTROLLER,
};

/*
 * Whether it matters what the guest lets in; after event_take(), whether a window is wanted: for what is still in `irq`
 * or `nmi_pending`.
 */
static inline bool event_may_wait(const struct event_state *state)
{
	return state->irq || state->nmi_pending;
}

/*
 * Blocking by STI keeps NMIs out as well: SDM "Checks on Guest Non-Register State" lets a processor refuse the entry
 * otherwise, and it lasts for one instruction only.
 */
static inline bool event_nmi_may_enter(u32 blocked)
{
	return !(blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_SMI | BLOCKED_BY_NMI));
}

static inline bool event_irq_may_enter(u32 blocked)
{
	return !(blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_SMI | BLOCKED_BY_IF));
}

/*
 * SDM "Priority Among Concurrent Events": what is in delivery, then the instruction's own fault, then NMI, then
 * interrupts. `blocked`: BLOCKED_*; not looked at unless event_may_wait(). Inline: each delivery runs through it.
 */
static inline enum event_source event_decide(const struct event_state *state, u32 blocked)
{
	if (UNLIKELY(state->in_flight.type != EVENT_NONE))
		return EVENT_FROM_EXIT;
	if (state->exception.type != EVENT_NONE)
		return EVENT_FROM_HANDLER;
	if (state->nmi_pending && event_nmi_may_enter(blocked))
		return EVENT_FROM_OUTSIDE;
	return state->irq && event_irq_may_enter(blocked) ? EVENT_FROM_CONTROLLER : EVENT_FROM_NOBODY;
}

/* The event, which waits no longer. Not of EVENT_FROM_CONTROLLER: that one's vector is the controller's to tell. */
struct event event_take(struct event_state *state, enum event_source source);
/*
 * Queue an exception; together with one already queued it makes #DF or a triple fault by the SDM's table
 * ("Conditions for Generating a Double Fault"). False: triple fault.
 */
bool event_queue_exception(struct event_state *state, u8 vector, bool has_error, u32 error);

#endif
