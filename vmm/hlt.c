/* Instructions by which a guest gives its core away for a while. */
#include "vmm/handlers.h"

/* The run loop decides whether anything can end it (vcpu_can_wake()). */
enum verdict handle_hlt(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return VERDICT_BLOCK;
}

/* A guest that spins on a lock whose holder may wait for this very core. */
enum verdict handle_pause(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return VERDICT_YIELD;
}
