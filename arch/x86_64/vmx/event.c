/*
 * Events into and out of the guest (SDM vol. 3 "Event Injection", "Information for VM Exits That Occur During Event
 * Delivery").
 */
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"

/* Interruption types by enum event_type, and back. */
static const u8 type_of_event[] = {
	[EVENT_INTERRUPT] = TYPE_EXTERNAL,
	[EVENT_NMI] = TYPE_NMI,
	[EVENT_EXCEPTION] = TYPE_HARDWARE_EXCEPTION,
	[EVENT_SOFT_INTERRUPT] = TYPE_SOFTWARE_INTERRUPT,
	[EVENT_PRIV_SOFT_EXCEPTION] = TYPE_PRIV_SOFTWARE_EXCEPTION,
	[EVENT_SOFT_EXCEPTION] = TYPE_SOFTWARE_EXCEPTION,
};
static const u8 event_of_type[8] = {
	[TYPE_EXTERNAL] = EVENT_INTERRUPT,
	[1] = EVENT_NONE,
	[TYPE_NMI] = EVENT_NMI,
	[TYPE_HARDWARE_EXCEPTION] = EVENT_EXCEPTION,
	[TYPE_SOFTWARE_INTERRUPT] = EVENT_SOFT_INTERRUPT,
	[TYPE_PRIV_SOFTWARE_EXCEPTION] = EVENT_PRIV_SOFT_EXCEPTION,
	[TYPE_SOFTWARE_EXCEPTION] = EVENT_SOFT_EXCEPTION,
	[TYPE_OTHER] = EVENT_NONE,
};

static bool is_software(enum event_type type)
{
	return type >= EVENT_SOFT_INTERRUPT;
}

void vmx_inject(UNUSED struct vcpu *vcpu, const struct event *event)
{
	u32 info;

	ASSERT(event->type != EVENT_NONE && event->type < ARRAY_SIZE(type_of_event));
	info = event->vector | (u32)type_of_event[event->type] << INTERRUPTION_TYPE_SHIFT | (u32)INTERRUPTION_VALID;
	if (event->has_error) {
		info |= (u32)INTERRUPTION_ERROR_VALID;
		vmwrite32(VMCS_ENTRY_EXCEPTION_ERROR, event->error & 0xffff);
	}
	if (is_software((enum event_type)event->type))
		vmwrite32(VMCS_ENTRY_INSTRUCTION_LENGTH, event->length);
	vmwrite32(VMCS_ENTRY_INTERRUPTION_INFO, info);
}

void vmx_request_window(struct vcpu *vcpu, bool irq, bool nmi)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 controls = v->primary & ~(u32)(PRIMARY_INTERRUPT_WINDOW | PRIMARY_NMI_WINDOW);

	if (irq)
		controls |= (u32)PRIMARY_INTERRUPT_WINDOW;
	if (nmi)
		controls |= (u32)PRIMARY_NMI_WINDOW;
	vmx_set_primary(v, controls);
}

/* The VMCS's bits 3:0 are BLOCKED_*; bit 4 belongs to enclaves, which guests do not have. */
u32 vmx_interruptibility(struct vcpu *vcpu)
{
	if (!(vcpu->cached & CACHED_INTERRUPTIBILITY)) {
		vcpu->end.interruptibility = vmread32(VMCS_GUEST_INTERRUPTIBILITY);
		vcpu->cached |= CACHED_INTERRUPTIBILITY;
	}
	return (u32)vcpu->end.interruptibility;
}

void vmx_set_interruptibility(struct vcpu *vcpu, u32 value)
{
	vcpu->end.interruptibility = value;
	vcpu->cached |= CACHED_INTERRUPTIBILITY;
	vmwrite32(VMCS_GUEST_INTERRUPTIBILITY, value);
}

void vmx_end_shadow(struct vcpu *vcpu)
{
	u32 now = vmx_interruptibility(vcpu);

	if (UNLIKELY(now & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vmx_set_interruptibility(vcpu, now & ~(u32)(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

void vmx_set_single_step(UNUSED struct vcpu *vcpu)
{
	vmwrite(VMCS_GUEST_PENDING_DEBUG, vmread(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

void vmx_collect_event(struct vcpu *vcpu, u32 info)
{
	struct event *event = &vcpu->events.in_flight;

	*event = (struct event){
		.type = event_of_type[INTERRUPTION_TYPE(info)],
		.vector = INTERRUPTION_VECTOR(info),
		.has_error = info & INTERRUPTION_ERROR_VALID,
	};
	if (event->has_error)
		event->error = vmread32(VMCS_IDT_VECTORING_ERROR);
	if (is_software((enum event_type)event->type))
		event->length = (u8)vmx_instruction_length(vcpu);
	/*
	 * The NMI is delivered again, and that blocks NMIs then: an entry that injects one while they are blocked is
	 * refused.
	 */
	if (event->type == EVENT_NMI)
		vmx_set_interruptibility(vcpu, vmx_interruptibility(vcpu) & ~(u32)BLOCKED_BY_NMI);
	__atomic_fetch_or(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
}
