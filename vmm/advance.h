/* The end of an emulated instruction, inline: every exit that is one pays for it. For vmm/run.c; others call vcpu_advance(). */
#ifndef VMM_ADVANCE_H
#define VMM_ADVANCE_H

#include "vmm/vcpu.h"

/* The rare parts, in vcpu_regs.c. */
u64 advance_wrap(struct vcpu *vcpu, u64 next);
void advance_flags(struct vcpu *vcpu, u64 rflags);
struct instruction_end advance_end(struct vcpu *vcpu);

/* RIP goes on by `end.length`; RIP and RFLAGS are cached. */
static inline void advance_by(struct vcpu *vcpu, struct instruction_end end)
{
	u64 rip = vcpu->reg[REG_RIP], rflags = vcpu->reg[REG_RFLAGS], next = rip + end.length;

	if (UNLIKELY((u32)rip + (u32)end.length < (u32)end.length)) /* out of the low 32 bits */
		next = advance_wrap(vcpu, next);
	vcpu->reg[REG_RIP] = next;
	vcpu->dirty |= BIT(REG_RIP);
	if (UNLIKELY(rflags & (RFLAGS_RF | RFLAGS_TF)))
		advance_flags(vcpu, rflags);
	if (UNLIKELY(end.interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vcpu->engine->end_shadow(vcpu);
}

static inline void advance(struct vcpu *vcpu)
{
	if (UNLIKELY(!(vcpu->cached & CACHED_END)))
		advance_by(vcpu, advance_end(vcpu));
	else
		advance_by(vcpu, vcpu->end);
}

#endif
