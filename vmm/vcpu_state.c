#include "vmm/vcpu_state.h"

#include "arch/x86_64/cpu/regs.h"
#include "lib/string.h"

#define DATA_SEGMENT  (BIT(7) | BIT(4) | 3) /* present, read/write, accessed */
#define CODE_SEGMENT  (BIT(7) | BIT(4) | 11)
#define LDT_SEGMENT   (BIT(7) | 2)
#define BUSY_TSS      (BIT(7) | 11) /* so it comes out of RESET; VM entry wants it busy, too */
#define RESET_PAT     0x0007040600070406ull
#define RESET_CPU_SIG 0x600u /* EDX: family 6, as on every processor we run on */

/*
 * FNINIT's state in the legacy area of an XSAVE image (SDM "x87 FPU, MMX and SSE State" after reset): FCW 0x40, MXCSR
 * 0x1f80.
 */
static void xsave_reset(struct vcpu_state *state)
{
	static const u16 reset_fcw = 0x40;
	static const u32 reset_mxcsr = 0x1f80;

	memcpy(state->xsave, &reset_fcw, sizeof(reset_fcw));
	memcpy(state->xsave + 24, &reset_mxcsr, sizeof(reset_mxcsr));
	/*
	 * XSTATE_BV: x87 from the image, since its FCW is not the XSAVE area's initial one; all else is in its initial
	 * state.
	 */
	state->xsave[512] = XCR0_X87;
	state->xsave_size = 512 + 64;
}

void vcpu_state_reset(struct vcpu_state *state)
{
	memset(state, 0, sizeof(*state));
	state->version = VCPU_STATE_VERSION;
	state->size = sizeof(*state);
	state->reg[REG_RIP] = 0xfff0;
	state->reg[REG_RFLAGS] = RFLAGS_ONE;
	state->reg[REG_RDX] = RESET_CPU_SIG;
	state->reg[REG_CR0] = CR0_CD | CR0_NW | CR0_ET;
	state->dr6 = DR6_RESERVED_ONES;
	state->dr7 = DR7_RESERVED_ONES;
	state->xcr0 = XCR0_X87;
	state->pat = RESET_PAT;
	for (int i = SEG_ES; i <= SEG_GS; i++)
		state->segment[i] = (struct segment){.attributes = DATA_SEGMENT, .limit = 0xffff};
	state->segment[SEG_CS] =
		(struct segment){.selector = 0xf000, .attributes = CODE_SEGMENT, .limit = 0xffff, .base = 0xffff0000};
	state->segment[SEG_LDTR] = (struct segment){.attributes = LDT_SEGMENT, .limit = 0xffff};
	state->segment[SEG_TR] = (struct segment){.attributes = BUSY_TSS, .limit = 0xffff};
	state->gdtr.limit = 0xffff;
	state->idtr.limit = 0xffff;
	state->activity = ACTIVITY_ACTIVE;
	xsave_reset(state);
}
