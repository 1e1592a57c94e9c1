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

static bool read_part(struct vcpu *vcpu, u8 *bytes, gva_t linear, u32 from, u32 to)
{
	struct linear_view view = linear_view(vcpu);
	struct linear_fault fault;

	view.fetch = true;
	return linear_read(vcpu->vm, &view, linear + from, bytes + from, to - from, &fault) == LINEAR_OK;
}

static gva_t code_address(struct vcpu *vcpu, enum insn_mode *mode)
{
	u64 rip = vcpu_get(vcpu, REG_RIP);
	struct segment cs;

	vcpu->engine->get_segment(vcpu, SEG_CS, &cs);
	*mode = mode_of(vcpu, &cs);
	return *mode == INSN_MODE_64 ? rip : (u32)(cs.base + rip);
}

/* How many bytes an instruction at `linear` can have before the page ends. */
static u32 bytes_in_page(gva_t linear)
{
	return (u32)MIN(PAGE_SIZE - (linear & (PAGE_SIZE - 1)), (u64)INSN_MAX_LENGTH);
}

int fetch_instruction(struct vcpu *vcpu, struct insn *insn)
{
	u8 bytes[INSN_MAX_LENGTH];
	enum insn_mode mode;
	gva_t linear = code_address(vcpu, &mode);
	u32 here = bytes_in_page(linear);
	int error;

	/* The next page is read only when the instruction reaches into it: it need not be there. */
	if (!read_part(vcpu, bytes, linear, 0, here))
		return ERR_RANGE;
	error = insn_decode(insn, bytes, here, mode);
	if (error != ERR_RANGE || here == INSN_MAX_LENGTH)
		return error;
	if (!read_part(vcpu, bytes, linear, here, INSN_MAX_LENGTH))
		return ERR_RANGE;
	return insn_decode(insn, bytes, INSN_MAX_LENGTH, mode);
}

u32 fetch_bytes(struct vcpu *vcpu, u8 bytes[INSN_MAX_LENGTH], enum insn_mode *mode)
{
	gva_t linear = code_address(vcpu, mode);
	u32 here = bytes_in_page(linear);

	if (!read_part(vcpu, bytes, linear, 0, here))
		return 0;
	if (here < INSN_MAX_LENGTH && read_part(vcpu, bytes, linear, here, INSN_MAX_LENGTH))
		here = INSN_MAX_LENGTH;
	return here;
}
