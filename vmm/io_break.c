/*
 * I/O breakpoints (SDM "Debug Registers", "I/O Breakpoint Exception Conditions"): the processor watches ports for
 * instructions that it carries out itself; for those that we carry out we have to. They are traps: the #DB comes after
 * the access.
 */
#include "vmm/io.h"
#include "vmm/vcpu.h"

#define DR7_ENABLES BITS(7, 0)
#define KIND_IO	    2u

static bool matches(u64 dr7, u32 n, u64 address, u16 port, u8 size)
{
	static const u8 lengths[4] = {1, 2, 8, 4};
	u32 control = dr7 >> (16 + 4 * n) & 15, length = lengths[control >> 2];
	u64 base = address & ~(u64)(length - 1);

	return dr7 >> (2 * n) & 3 && (control & 3) == KIND_IO && port < base + length && base < (u64)port + size;
}

u32 io_find_breakpoints(struct vcpu *vcpu, u16 port, u8 size)
{
	u64 dr7 = vcpu->engine->get_dr(vcpu, 7);
	u32 hit = 0;

	/* Without CR4.DE there is no such kind. */
	if (!(dr7 & DR7_ENABLES) || !(vcpu_get(vcpu, REG_CR4) & CR4_DE))
		return 0;
	for (u32 n = 0; n < 4; n++)
		if (matches(dr7, n, vcpu->engine->get_dr(vcpu, n), port, size))
			hit |= 1u << n;
	return hit;
}

/* A single step that is due as well is told by the same #DB: what is injected takes the place of what is pending. */
enum verdict io_trap(struct vcpu *vcpu, u32 hit)
{
	u64 dr6 = vcpu->engine->get_dr(vcpu, 6) & ~BITS(3, 0);

	if (vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_TF)
		dr6 |= DR6_BS;
	vcpu->engine->set_dr(vcpu, 6, dr6 | hit);
	return vcpu_raise(vcpu, VECTOR_DB);
}

enum verdict io_end(struct vcpu *vcpu, const struct exit_io *io)
{
	u32 hit = io_find_breakpoints(vcpu, io->port, io->size);

	if (!hit)
		return VERDICT_ADVANCE;
	vcpu_advance(vcpu);
	return io_trap(vcpu, hit);
}
