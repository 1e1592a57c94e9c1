/*
 * Events into the guest, windows, and what an exit interrupted (APM vol. 2 "Event Injection", "Virtual Interrupts",
 * "EXITINTINFO").
 */
#include "arch/x86_64/svm/svm.h"
#include "core/panic.h"

static const u8 injection_type[] = {
	[EVENT_INTERRUPT] = EVENTINJ_INTR,	      [EVENT_NMI] = EVENTINJ_NMI,
	[EVENT_EXCEPTION] = EVENTINJ_EXCEPTION,	      [EVENT_SOFT_INTERRUPT] = EVENTINJ_SOFT,
	[EVENT_PRIV_SOFT_EXCEPTION] = EVENTINJ_EXCEPTION, [EVENT_SOFT_EXCEPTION] = EVENTINJ_EXCEPTION,
};

void svm_inject(struct vcpu *vcpu, const struct event *event)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	u64 word = event->vector | (u64)injection_type[event->type] << EVENTINJ_TYPE_SHIFT | EVENTINJ_VALID;

	ASSERT(!(svm->vmcb->event_injection & EVENTINJ_VALID));
	if (event->has_error)
		word |= EVENTINJ_ERROR_VALID | (u64)event->error << 32;
	svm->vmcb->event_injection = word;
	if (event->type == EVENT_NMI) {
		/* The processor keeps NMIs from the guest until its IRET; the intercept tells us when that was. */
		svm->nmi_blocked = true;
		svm->vmcb->intercept3 |= 1u << INTERCEPT_IRET;
		svm_dirty(svm, CLEAN_INTERCEPTS);
	}
}

void svm_request_window(struct vcpu *vcpu, bool irq, bool nmi)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;

	if (irq != svm->want_irq) {
		/*
		 * A dummy virtual interrupt of the highest priority: it is never delivered, its intercept is the
		 * window.
		 */
		u64 request = VINTR_IRQ | VINTR_IGNORE_TPR | 0xfull << VINTR_PRIO_SHIFT;

		vmcb->vintr = irq ? vmcb->vintr | request : vmcb->vintr & ~request;
		vmcb->intercept3 =
			irq ? vmcb->intercept3 | 1u << INTERCEPT_VINTR : vmcb->intercept3 & ~(1u << INTERCEPT_VINTR);
		svm_dirty(svm, CLEAN_INTERCEPTS | CLEAN_TPR);
		svm->want_irq = irq;
	}
	svm->want_nmi = nmi;
	/*
	 * Blocked until an IRET that has not been seen: its intercept comes first. Else one step, and the window is
	 * open.
	 */
	if (nmi && !svm->stepping && (svm->iret_seen || !svm->nmi_blocked) && !(vmcb->rflags & RFLAGS_TF)) {
		vmcb->rflags |= RFLAGS_TF;
		svm->stepping = true;
	}
}

u32 svm_interruptibility(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	u32 blocked = 0;

	/* SVM has one bit for both shadows; MOV SS is the stricter one, STI the usual. */
	if (svm->vmcb->interrupt_state & VMCB_SHADOW)
		blocked |= BLOCKED_BY_STI;
	if (svm->nmi_blocked)
		blocked |= BLOCKED_BY_NMI;
	return blocked;
}

void svm_end_shadow(struct vcpu *vcpu)
{
	svm_of(vcpu)->vmcb->interrupt_state &= ~VMCB_SHADOW;
}

void svm_set_single_step(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	/* There is no pending-debug field: the trap is queued as what it would be, a #DB after the instruction. */
	svm->vmcb->dr6 |= DR6_BS;
	svm_dirty(svm, CLEAN_DR);
	event_queue_exception(&vcpu->events, VECTOR_DB, false, 0);
	__atomic_or_fetch(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
}

/* EXITINTINFO as an event; EVENT_NONE for what the guest does again by itself. */
static struct event interrupted_event(u64 info)
{
	struct event event = {.type = EVENT_NONE, .vector = (u8)info};

	switch (info >> EVENTINJ_TYPE_SHIFT & 7) {
	case EVENTINJ_INTR:
		event.type = EVENT_INTERRUPT;
		break;
	case EVENTINJ_NMI:
		event.type = EVENT_NMI;
		break;
	case EVENTINJ_EXCEPTION:
		/* INT3 and INTO: RIP still names the instruction, which runs again. */
		if (event.vector == VECTOR_BP || event.vector == VECTOR_OF)
			return event;
		event.type = EVENT_EXCEPTION;
		break;
	default: /* INT n: likewise */
		return event;
	}
	if (info & EVENTINJ_ERROR_VALID) {
		event.has_error = true;
		event.error = (u32)(info >> 32);
	}
	return event;
}

void svm_collect_events(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	u64 info = svm->vmcb->exit_int_info;

	svm->vmcb->event_injection = 0;
	if (UNLIKELY(svm->vmcb->interrupt_state & VMCB_SHADOW))
		svm->shadow_rip = svm->vmcb->rip;
	if (UNLIKELY(info & EVENTINJ_VALID)) {
		vcpu->events.in_flight = interrupted_event(info);
		if (vcpu->events.in_flight.type == EVENT_NMI)
			svm->nmi_blocked = false; /* its delivery did not happen; injecting it again sets this */
		if (vcpu->events.in_flight.type != EVENT_NONE)
			__atomic_or_fetch(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
	}
	if (UNLIKELY(svm->iret_seen) && svm->vmcb->rip != svm->iret_rip) {
		svm->iret_seen = false;
		svm->nmi_blocked = false;
	}
}

bool svm_end_step(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	if (!svm->stepping)
		return false;
	svm->stepping = false;
	svm->vmcb->rflags &= ~RFLAGS_TF;
	vcpu->cached &= ~BIT(REG_RFLAGS);
	svm->vmcb->dr6 &= ~DR6_BS;
	svm_dirty(svm, CLEAN_DR);
	return true;
}
