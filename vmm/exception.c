/*
 * Exceptions that were caught on the way to the guest, and those that stand for instructions the guest is not to have.
 */
#include "vmm/handlers.h"
#include "vmm/vcpu.h"

/*
 * The engine caught it for its own reasons (a #DB or #AC that could repeat for ever in microcode, the first use of
 * lazily switched state) and found nothing to do: the guest gets it as if it had never been caught.
 */
enum verdict handle_exception(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_exception *caught = &exit->exception;

	if (caught->vector == VECTOR_PF)
		return vcpu_raise_page_fault(vcpu, caught->address, caught->error);
	if (caught->vector == VECTOR_DB) {
		/*
		 * SDM "Debug Status Register (DR6)": the processor sets what happened and clears none of the others but
		 * B0-B3.
		 */
		u64 dr6 = vcpu->engine->get_dr(vcpu, 6) & ~BITS(3, 0);

		vcpu->engine->set_dr(vcpu, 6, dr6 | caught->address);
	}
	return caught->has_error ? vcpu_raise_error(vcpu, caught->vector, caught->error) :
				   vcpu_raise(vcpu, caught->vector);
}

enum verdict handle_undefined(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	return vcpu_raise(vcpu, VECTOR_UD);
}

enum verdict handle_denied(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	return vcpu_raise_error(vcpu, VECTOR_GP, 0);
}
