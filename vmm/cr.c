#include "vmm/cr.h"

#include "lib/string.h"
#include "vmm/cpuid.h"
#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define LMSW_BITS (CR0_PE | CR0_MP | CR0_EM | CR0_TS)
#define TSS_32BIT BIT(3) /* of the type: 16-bit TSSs are 1 and 3 */

static struct cr_context context_of(struct vcpu *vcpu)
{
	struct segment cs, tr;

	vcpu->engine->get_segment(vcpu, SEG_CS, &cs);
	vcpu->engine->get_segment(vcpu, SEG_TR, &tr);
	return (struct cr_context){
		.cr0 = vcpu_get(vcpu, REG_CR0),
		.cr3 = vcpu_get(vcpu, REG_CR3),
		.cr4 = vcpu_get(vcpu, REG_CR4),
		.efer = vcpu_get(vcpu, REG_EFER),
		.cr4_supported = vcpu->vm->cpuid->cr4,
		.cs_long = cs.attributes & SEGMENT_L,
		.tss_16bit = !(SEGMENT_TYPE(tr.attributes) & TSS_32BIT),
	};
}

bool read_pdptes(struct vm *vm, u64 cr3, u32 physical_bits, u64 pdpte[4])
{
	if (guest_read(vm, cr3 & BITS(31, 5), pdpte, 4 * sizeof(u64)))
		memset(pdpte, 0xff, 4 * sizeof(u64));
	for (u32 i = 0; i < 4; i++)
		if (!pdpte_valid(pdpte[i], physical_bits))
			return false;
	return true;
}

bool load_pdptes(struct vcpu *vcpu, u64 cr3)
{
	u64 pdpte[4];

	if (!vcpu->engine->set_pdptes)
		return true;
	if (!read_pdptes(vcpu->vm, cr3, vcpu->vm->cpuid->physical_bits, pdpte))
		return false;
	vcpu->engine->set_pdptes(vcpu, pdpte);
	return true;
}

/* Everything has been checked but the PDPTEs, which are the last that can fault. */
static enum verdict commit(struct vcpu *vcpu, enum reg reg, u64 value, u64 cr3, u32 effects)
{
	u64 efer = vcpu_get(vcpu, REG_EFER);

	if (effects & CR_LOAD_PDPTES && !load_pdptes(vcpu, cr3))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	if (effects & CR_LMA_SET)
		vcpu_set(vcpu, REG_EFER, efer | EFER_LMA);
	if (effects & CR_LMA_CLEAR)
		vcpu_set(vcpu, REG_EFER, efer & ~EFER_LMA);
	vcpu_set(vcpu, reg, value);
	if (effects & CR_FLUSH)
		vcpu->engine->flush_guest(vcpu);
	return VERDICT_ADVANCE;
}

static enum verdict set_cr0(struct vcpu *vcpu, u64 value)
{
	struct cr_context context = context_of(vcpu);
	u32 effects;

	if (!cr0_check(&context, &value, &effects))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	return commit(vcpu, REG_CR0, value, context.cr3, effects);
}

static enum verdict set_cr3(struct vcpu *vcpu, u64 value)
{
	struct cr_context context = context_of(vcpu);
	u32 effects;

	if (!cr3_check(&context, &value, vcpu->vm->cpuid->physical_bits, &effects))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	return commit(vcpu, REG_CR3, value, value, effects);
}

static enum verdict set_cr4(struct vcpu *vcpu, u64 value)
{
	struct cr_context context = context_of(vcpu);
	u32 effects;

	if (!cr4_check(&context, value, &effects))
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	return commit(vcpu, REG_CR4, value, context.cr3, effects);
}

/* SDM "Interrupt Priorities" of IA-32e mode: the task priority of the local APIC; kept here where there is none. */
static enum verdict set_cr8(struct vcpu *vcpu, u64 value)
{
	if (value > 15)
		return vcpu_raise_error(vcpu, VECTOR_GP, 0);
	if (vcpu->machine)
		vcpu->machine->set_cr8(vcpu, value);
	else
		vcpu->cr8 = value;
	return VERDICT_ADVANCE;
}

/* Outside 64-bit code the operand has 32 bits. */
static enum verdict move_to(struct vcpu *vcpu, const struct exit_cr *cr)
{
	u64 value = vcpu_get(vcpu, (enum reg)cr->gpr);

	if (!vcpu_long_mode(vcpu))
		value = (u32)value;
	switch (cr->cr) {
	case 0:
		return set_cr0(vcpu, value);
	case 3:
		return set_cr3(vcpu, value);
	case 4:
		return set_cr4(vcpu, value);
	case 8:
		return set_cr8(vcpu, value);
	default:
		return vcpu_raise(vcpu, VECTOR_UD);
	}
}

static enum verdict move_from(struct vcpu *vcpu, const struct exit_cr *cr)
{
	static const u8 regs[] = {[0] = REG_CR0, [2] = REG_CR2, [3] = REG_CR3, [4] = REG_CR4};
	u32 size = vcpu_long_mode(vcpu) ? 8 : 4;

	if (cr->cr == 8)
		vcpu_set_sized(vcpu, (enum reg)cr->gpr, size, vcpu->machine ? vcpu->machine->get_cr8(vcpu) : vcpu->cr8);
	else if (cr->cr < ARRAY_SIZE(regs) && cr->cr != 1)
		vcpu_set_sized(vcpu, (enum reg)cr->gpr, size, vcpu_get(vcpu, (enum reg)regs[cr->cr]));
	else
		return vcpu_raise(vcpu, VECTOR_UD);
	return VERDICT_ADVANCE;
}

enum verdict handle_cr(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_cr *cr = &exit->cr;
	u64 cr0 = vcpu_get(vcpu, REG_CR0);

	switch (cr->access) {
	case CR_WRITE:
		return move_to(vcpu, cr);
	case CR_READ:
		return move_from(vcpu, cr);
	case CR_CLTS:
		vcpu_set(vcpu, REG_CR0, cr0 & ~CR0_TS);
		return VERDICT_ADVANCE;
	default:
		/* SDM "LMSW": four bits, and PE can be set by it but not cleared. */
		return set_cr0(vcpu, (cr0 & ~(LMSW_BITS & ~CR0_PE)) | (cr->source & LMSW_BITS));
	}
}
