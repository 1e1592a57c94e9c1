/*
 * The guest's breakpoints on ports and data (SDM "Debug Registers", "I/O Breakpoint Exception Conditions", "Data Memory
 * and I/O Breakpoint Exception Conditions"): the processor watches instructions that it carries out itself; for those
 * that we carry out we have to. They are traps: the #DB comes after the access.
 */
#ifndef VMM_BREAKPOINT_H
#define VMM_BREAKPOINT_H

#include "vmm/vcpu.h"

enum breakpoint_use { BREAKPOINT_READ, BREAKPOINT_WRITE, BREAKPOINT_PORT };

/* The slow parts of what is below. */
u32 breakpoint_find(struct vcpu *vcpu, enum breakpoint_use use, u64 address, u8 size);
enum verdict breakpoint_end_with(struct vcpu *vcpu, u32 hit);

/* The enabled breakpoints that watch this use of `size` bytes, at a linear address or from a port on: bits 0 to 3. */
static inline u32 breakpoint_hits(struct vcpu *vcpu, enum breakpoint_use use, u64 address, u8 size)
{
	return LIKELY(!vcpu->debug_live) ? 0 : breakpoint_find(vcpu, use, address, size);
}

/* Their debug trap, where RIP now is. `hit` is not 0. */
enum verdict breakpoint_trap(struct vcpu *vcpu, u32 hit);

/* The instruction is over: advance, and trap when it hit a breakpoint. */
static inline enum verdict breakpoint_end(struct vcpu *vcpu, u32 hit)
{
	return LIKELY(!hit) ? VERDICT_ADVANCE : breakpoint_end_with(vcpu, hit);
}

#endif
