/*
 * What handlers ask of a vCPU's registers and mode, how they raise exceptions, and how an emulated instruction ends.
 * Pure.
 */
#include "vmm/fetch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

bool vcpu_long_mode(struct vcpu *vcpu)
{
	return vcpu_get(vcpu, REG_EFER) & EFER_LMA && vcpu->engine->segment_attributes(vcpu, SEG_CS) & SEGMENT_L;
}

/* EFER is at hand after an exit where the processor has it saved; CR0 has to be put together. */
bool vcpu_protected(struct vcpu *vcpu)
{
	return vcpu_get(vcpu, REG_EFER) & EFER_LMA || vcpu_get(vcpu, REG_CR0) & CR0_PE;
}

bool vcpu_v8086(struct vcpu *vcpu)
{
	return vcpu_protected(vcpu) && vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_VM;
}

static enum verdict raise(struct vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	if (!event_queue_exception(&vcpu->events, vector, has_error, error)) {
		vm_end(vcpu->vm, VM_END_TRIPLE_FAULT, 0, "triple fault at rip 0x%llx",
		       (unsigned long long)vcpu_get(vcpu, REG_RIP));
		return VERDICT_END;
	}
	__atomic_fetch_or(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
	return VERDICT_INJECT;
}

enum verdict vcpu_raise(struct vcpu *vcpu, u8 vector)
{
	return raise(vcpu, vector, false, 0);
}

enum verdict vcpu_raise_error(struct vcpu *vcpu, u8 vector, u32 error)
{
	return raise(vcpu, vector, true, error);
}

enum verdict vcpu_raise_page_fault(struct vcpu *vcpu, gva_t address, u32 error)
{
	vcpu_set(vcpu, REG_CR2, address);
	return raise(vcpu, VECTOR_PF, true, error);
}

/*
 * Faults push an RFLAGS image with RF set (SDM "RF (Resume) Flag"); #DB, traps and aborts do not, and injection adds
 * nothing.
 */
static bool pushes_rf(struct event event)
{
	static const u64 no_fault = BIT(VECTOR_DB) | BIT(VECTOR_NMI) | BIT(VECTOR_BP) | BIT(VECTOR_OF) |
				    BIT(VECTOR_DF) | BIT(VECTOR_MC);

	return event.type == EVENT_EXCEPTION && !(no_fault & BIT(event.vector));
}

static void inject_irq(struct vcpu *vcpu)
{
	struct event event = {.type = EVENT_INTERRUPT};

	event.vector = vcpu->irq_take(vcpu);
	vcpu->events.irq = 0;
	vcpu->engine->inject(vcpu, &event);
}

static void __attribute__((noinline)) inject_other(struct vcpu *vcpu, enum event_source source)
{
	struct event event = event_take(&vcpu->events, source);

	if (source == EVENT_FROM_HANDLER && pushes_rf(event))
		vcpu_set(vcpu, REG_RFLAGS, vcpu_get(vcpu, REG_RFLAGS) | RFLAGS_RF);
	/* Real mode pushes no error code (SDM "Interrupt and Exception Handling" in real-address mode). */
	if (event.has_error && !vcpu_protected(vcpu))
		event.has_error = false;
	vcpu->engine->inject(vcpu, &event);
}

static inline u32 blocked_by_if(u64 rflags)
{
	return (u32)(~rflags & RFLAGS_IF);
}

static u32 __attribute__((noinline)) ask_what_is_blocked(struct vcpu *vcpu)
{
	return vcpu->engine->interruptibility(vcpu) | blocked_by_if(vcpu_get(vcpu, REG_RFLAGS));
}

/* After exits that are no instruction's it is not at hand. */
static inline u32 what_is_blocked(struct vcpu *vcpu)
{
	const u64 at_hand = CACHED_INTERRUPTIBILITY | BIT(REG_RFLAGS);

	if (UNLIKELY((vcpu->cached & at_hand) != at_hand))
		return ask_what_is_blocked(vcpu);
	return (u32)vcpu->end.interruptibility | blocked_by_if(vcpu->reg[REG_RFLAGS]);
}

/* For what is left. Where nothing is and nothing was, the engine need not be told. */
static void __attribute__((noinline)) request_windows(struct vcpu *vcpu)
{
	vcpu->window_wanted = event_may_wait(&vcpu->events);
	vcpu->engine->request_window(vcpu, vcpu->events.irq != 0, vcpu->events.nmi_pending);
}

static inline void look(struct vcpu *vcpu)
{
	if (vcpu->machine)
		vcpu->machine->look(vcpu);
}

/* By the last look. */
static bool has_wake_event(struct vcpu *vcpu)
{
	const struct event_state *events = &vcpu->events;

	return events->nmi_pending || events->in_flight.type != EVENT_NONE || events->exception.type != EVENT_NONE ||
	       ((events->irq || events->irq_by_processor) && vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_IF);
}

bool vcpu_deliver_events(struct vcpu *vcpu)
{
	enum event_source source;

	look(vcpu);
	if (UNLIKELY(vcpu->halted)) {
		if (!has_wake_event(vcpu))
			return false;
		vcpu->halted = false;
	}
	source = event_decide(&vcpu->events, LIKELY(event_may_wait(&vcpu->events)) ? what_is_blocked(vcpu) : 0);
	if (LIKELY(source == EVENT_FROM_CONTROLLER))
		inject_irq(vcpu);
	else if (source != EVENT_FROM_NOBODY)
		inject_other(vcpu, source);
	if (UNLIKELY(event_may_wait(&vcpu->events) || vcpu->window_wanted))
		request_windows(vcpu);
	return true;
}

/* Interrupts come from the VM's interrupt controller only. */
bool vcpu_can_wake(struct vcpu *vcpu)
{
	if (vcpu->irq_take && vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_IF)
		return true;
	look(vcpu);
	return has_wake_event(vcpu);
}

/*
 * Outside 64-bit code EIP has 32 bits. IP is not cut to 16: running off the end of a 64 KiB segment is a limit
 * violation since the 80286, at the next fetch (SDM "Segment Wraparound").
 */
static u64 wrapped(struct vcpu *vcpu, u64 next)
{
	return vcpu_long_mode(vcpu) ? next : (u32)next;
}

/* An instruction that ends clears RF, and with TF set it traps, unless IA32_DEBUGCTL.BTF asks for branches only. */
static void end_flags(struct vcpu *vcpu, u64 rflags)
{
	u64 debugctl = 0;

	if (rflags & RFLAGS_RF)
		vcpu_set(vcpu, REG_RFLAGS, rflags & ~RFLAGS_RF);
	if (!(rflags & RFLAGS_TF))
		return;
	if (vcpu->engine->get_msr(vcpu, MSR_DEBUGCTL, &debugctl) || !(debugctl & DEBUGCTL_BTF))
		vcpu->engine->set_single_step(vcpu);
}

/*
 * The processor did not say how long the instruction is. Its bytes may be gone only when another vCPU of the VM took
 * them away meanwhile: RIP then stays, and this vCPU meets the page fault itself.
 */
static u32 decoded_length(struct vcpu *vcpu)
{
	const struct insn *insn;

	return fetch_instruction(vcpu, &insn) == OK ? insn->length : 0;
}

u32 vcpu_instruction_length(struct vcpu *vcpu)
{
	u32 length = vcpu->engine->instruction_length(vcpu);

	return LIKELY(length) ? length : decoded_length(vcpu);
}

/* RIP and RFLAGS are cached. */
static void advance(struct vcpu *vcpu, struct instruction_end end)
{
	u64 rip = vcpu->reg[REG_RIP], rflags = vcpu->reg[REG_RFLAGS], next = rip + end.length;

	vcpu_set(vcpu, REG_RIP, next >> 32 == rip >> 32 ? next : wrapped(vcpu, next));
	if (rflags & (RFLAGS_RF | RFLAGS_TF))
		end_flags(vcpu, rflags);
	if (end.interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))
		vcpu->engine->end_shadow(vcpu);
}

void vcpu_advance(struct vcpu *vcpu)
{
	struct instruction_end end = vcpu->cached & CACHED_END ? vcpu->end : vcpu->engine->instruction_end(vcpu);

	if (UNLIKELY(!end.length))
		end.length = decoded_length(vcpu);
	advance(vcpu, end);
}
