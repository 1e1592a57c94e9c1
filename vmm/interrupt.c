/* Exits that the guest did not cause, and the windows it was asked for. */
#include "vmm/handlers.h"
#include "vmm/vcpu.h"

/* The engine has dispatched it: an interrupt that concerns this vCPU has left its mark in `attention`. */
enum verdict handle_physical(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return VERDICT_RETRY;
}

enum verdict handle_slice(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return VERDICT_RESCHEDULE;
}

/* The guest can take it now: decide again before the next entry. */
enum verdict handle_window(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	__atomic_fetch_or(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
	return VERDICT_RETRY;
}

/* The instruction that brought it is over. */
enum verdict handle_apic(struct vcpu *vcpu, const struct vm_exit *exit)
{
	vcpu->machine->apic_event(vcpu, &exit->apic);
	return VERDICT_RETRY;
}
