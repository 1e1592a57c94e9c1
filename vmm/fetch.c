#include "vmm/fetch.h"

#include "vmm/linear.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

static enum insn_mode mode_of(struct vcpu *vcpu, const struct segment *cs)
{
	if (vcpu_get(vcpu, REG_EFER) & EFER_LMA && cs->attributes & SEGMENT_L)
		return INSN_MODE_64;
	return cs->attributes & SEGMENT_DB ? INSN_MODE_32 : INSN_MODE_16;
}

/* Read [from, to) of the instruction at `linear`, within one page. */
static bool read_part(struct vcpu *vcpu, u8 *bytes, gva_t linear, u32 from, u32 to)
{
	struct linear_view view = linear_view(vcpu);
	struct linear_fault fault;

	return linear_read(vcpu->vm, &view, linear + from, bytes + from, to - from, &fault) == LINEAR_OK;
}

int fetch_instruction(struct vcpu *vcpu, struct insn *insn)
{
	struct segment cs;
	u8 bytes[INSN_MAX_LENGTH];
	enum insn_mode mode;
	gva_t linear;
	u32 here;
	int error;

	vcpu->engine->get_segment(vcpu, SEG_CS, &cs);
	mode = mode_of(vcpu, &cs);
	linear = vcpu_get(vcpu, REG_RIP);
	if (mode != INSN_MODE_64)
		linear = (u32)(cs.base + linear);
	/* The next page is read only when the instruction reaches into it: it need not be there. */
	here = (u32)MIN(PAGE_SIZE - (linear & (PAGE_SIZE - 1)), (u64)INSN_MAX_LENGTH);
	if (!read_part(vcpu, bytes, linear, 0, here))
		return ERR_RANGE;
	error = insn_decode(insn, bytes, here, mode);
	if (error != ERR_RANGE || here == INSN_MAX_LENGTH)
		return error;
	if (!read_part(vcpu, bytes, linear, here, INSN_MAX_LENGTH))
		return ERR_RANGE;
	return insn_decode(insn, bytes, INSN_MAX_LENGTH, mode);
}
