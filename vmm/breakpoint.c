#include "vmm/breakpoint.h"

#define DR7_ENABLES BITS(7, 0)

/* What each kind of breakpoint watches, by its R/W field. Instructions are the processor's to fetch. */
static const u8 watched[4] = {
	0,
	BIT(BREAKPOINT_WRITE),
	BIT(BREAKPOINT_PORT),
	BIT(BREAKPOINT_READ) | BIT(BREAKPOINT_WRITE),
};

static bool matches(u64 dr7, u32 n, u64 watches, enum breakpoint_use use, u64 address, u8 size)
{
	static const u8 lengths[4] = {1, 2, 8, 4};
	u32 control = dr7 >> (16 + 4 * n) & 15, length = lengths[control >> 2];
	u64 base = watches & ~(u64)(length - 1);

	return dr7 >> (2 * n) & 3 && watched[control & 3] & BIT(use) && address < base + length &&
	       base < address + size;
}

u32 breakpoint_find(struct vcpu *vcpu, enum breakpoint_use use, u64 address, u8 size)
{
	u64 dr7 = vcpu->engine->get_dr(vcpu, 7);
	u32 hit = 0;

	/* Without CR4.DE there is no breakpoint on ports. */
	if (!(dr7 & DR7_ENABLES) || (use == BREAKPOINT_PORT && !(vcpu_get(vcpu, REG_CR4) & CR4_DE)))
		return 0;
	for (u32 n = 0; n < 4; n++)
		if (matches(dr7, n, vcpu->engine->get_dr(vcpu, n), use, address, size))
			hit |= 1u << n;
	return hit;
}

/* A single step that is due as well is told by the same #DB: what is injected takes the place of what is pending. */
enum verdict breakpoint_trap(struct vcpu *vcpu, u32 hit)
{
	u64 dr6 = vcpu->engine->get_dr(vcpu, 6) & ~BITS(3, 0);

	if (vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_TF)
		dr6 |= DR6_BS;
	vcpu->engine->set_dr(vcpu, 6, dr6 | hit);
	return vcpu_raise(vcpu, VECTOR_DB);
}

enum verdict breakpoint_end_with(struct vcpu *vcpu, u32 hit)
{
	vcpu_advance(vcpu);
	return breakpoint_trap(vcpu, hit);
}
