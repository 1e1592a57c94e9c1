/* MOV to and from debug registers, where an engine does not let the guest have them (SDM "Debug Registers"). */
#include "vmm/handlers.h"
#include "vmm/vcpu.h"

#define DR6_WRITABLE (BITS(3, 0) | BITS(15, 13))
#define DR7_WRITABLE (BITS(9, 0) | DR7_GD | BITS(31, 16))

/*
 * A MOV while DR7.GD is set is caught before it happens; the handler finds GD clear, so that it can use the registers.
 */
static enum verdict general_detect(struct vcpu *vcpu, u64 dr7)
{
	u64 dr6 = vcpu->engine->get_dr(vcpu, 6) & ~BITS(3, 0);

	vcpu->engine->set_dr(vcpu, 6, dr6 | DR6_BD);
	vcpu->engine->set_dr(vcpu, 7, dr7 & ~DR7_GD);
	return vcpu_raise(vcpu, VECTOR_DB);
}

static enum verdict write_dr(struct vcpu *vcpu, u32 dr, u64 value)
{
	if (dr >= 6 && value >> 32)
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	if (dr == 6)
		value = (value & DR6_WRITABLE) | DR6_RESERVED_ONES;
	if (dr == 7)
		value = (value & DR7_WRITABLE) | DR7_RESERVED_ONES;
	vcpu->engine->set_dr(vcpu, dr, value);
	return VERDICT_ADVANCE;
}

enum verdict handle_dr(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_dr *move = &exit->dr;
	u32 dr = move->dr, size = vcpu_long_mode(vcpu) ? 8 : 4;
	u64 dr7 = vcpu->engine->get_dr(vcpu, 7), value;

	/* DR4 and DR5 are other names of DR6 and DR7, until CR4.DE makes them undefined. */
	if (dr == 4 || dr == 5) {
		if (vcpu_get(vcpu, REG_CR4) & CR4_DE)
			return vcpu_raise(vcpu, VECTOR_UD);
		dr += 2;
	}
	/*
	 * Processors look at CPL before they exit (SDM "Relative Priority of Faults and VM Exits"). Bochs 2.7 exits
	 * first.
	 */
	if (vcpu_cpl(vcpu) != 0)
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	if (dr7 & DR7_GD)
		return general_detect(vcpu, dr7);
	if (move->read) {
		vcpu_set_sized(vcpu, (enum reg)move->gpr, size, vcpu->engine->get_dr(vcpu, dr));
		return VERDICT_ADVANCE;
	}
	value = vcpu_get(vcpu, (enum reg)move->gpr);
	return write_dr(vcpu, dr, size == 8 ? value : (u32)value);
}
