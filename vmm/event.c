#include "vmm/event.h"

#include "arch/x86_64/cpu/regs.h"

/* Classes of SDM "Interrupt and Exception Classes" (chapter on exceptions, "Interrupt 8—Double Fault Exception"). */
enum event_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT, CLASS_DOUBLE_FAULT };

static enum event_class class_of(const struct event *event)
{
	static const u32 contributory = BIT(VECTOR_DE) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) |
					BIT(VECTOR_GP) | BIT(VECTOR_CP);

	if (event->type != EVENT_EXCEPTION)
		return CLASS_BENIGN;
	if (event->vector == VECTOR_PF || event->vector == VECTOR_VE)
		return CLASS_PAGE_FAULT;
	if (event->vector == VECTOR_DF)
		return CLASS_DOUBLE_FAULT;
	return event->vector < 32 && (contributory & BIT(event->vector)) ? CLASS_CONTRIBUTORY : CLASS_BENIGN;
}

enum pair { SERIAL, DOUBLE, TRIPLE };

/*
 * SDM "Conditions for Generating a Double Fault"; the last row is the triple fault: anything but benign on top of #DF.
 */
static const u8 pairs[4][4] = {
	[CLASS_BENIGN] = {SERIAL, SERIAL, SERIAL, SERIAL},
	[CLASS_CONTRIBUTORY] = {SERIAL, DOUBLE, SERIAL, SERIAL},
	[CLASS_PAGE_FAULT] = {SERIAL, DOUBLE, DOUBLE, SERIAL},
	[CLASS_DOUBLE_FAULT] = {SERIAL, TRIPLE, TRIPLE, TRIPLE},
};

/*
 * With two exceptions handled one after the other only the second is delivered: the first comes again by itself when
 * its instruction is restarted, and an external interrupt whose delivery faulted is lost on real processors too.
 */
bool event_queue_exception(struct event_state *state, u8 vector, bool has_error, u32 error)
{
	struct event second = {.type = EVENT_EXCEPTION, .vector = vector, .has_error = has_error, .error = error};
	const struct event *first = state->exception.type != EVENT_NONE ? &state->exception : &state->in_flight;
	u8 pair = first->type == EVENT_NONE ? (u8)SERIAL : pairs[class_of(first)][class_of(&second)];

	if (pair == TRIPLE)
		return false;
	if (pair == DOUBLE)
		second = (struct event){.type = EVENT_EXCEPTION, .vector = VECTOR_DF, .has_error = true};
	state->exception = second;
	state->in_flight = (struct event){.type = EVENT_NONE};
	return true;
}

static struct event take(struct event *from)
{
	struct event event = *from;

	*from = (struct event){.type = EVENT_NONE};
	return event;
}

struct event event_take(struct event_state *state, enum event_source source)
{
	switch (source) {
	case EVENT_FROM_EXIT:
		return take(&state->in_flight);
	case EVENT_FROM_HANDLER:
		return take(&state->exception);
	case EVENT_FROM_OUTSIDE:
		state->nmi_pending = false;
		return (struct event){.type = EVENT_NMI, .vector = VECTOR_NMI};
	default:
		return (struct event){.type = EVENT_NONE};
	}
}
