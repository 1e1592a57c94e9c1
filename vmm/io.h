/* Port I/O of guests. */
#ifndef VMM_IO_H
#define VMM_IO_H

#include "vmm/vcpu.h"

/* The slow parts of the two below. */
u32 io_find_breakpoints(struct vcpu *vcpu, u16 port, u8 size);
enum verdict io_end(struct vcpu *vcpu, const struct exit_io *io);

/* The enabled breakpoints that watch these ports: bits 0 to 3. */
static inline u32 io_breakpoints(struct vcpu *vcpu, u16 port, u8 size)
{
	return LIKELY(!vcpu->debug_live) ? 0 : io_find_breakpoints(vcpu, port, size);
}

/* Their debug trap, where RIP now is. */
enum verdict io_trap(struct vcpu *vcpu, u32 hit);

/* The access was made and the instruction is over: advance, and trap when a breakpoint watches the port. */
static inline enum verdict io_done(struct vcpu *vcpu, const struct exit_io *io)
{
	return LIKELY(!vcpu->debug_live) ? VERDICT_ADVANCE : io_end(vcpu, io);
}

/* INS and OUTS, with REP; at most a page's worth of bytes, then the guest is entered again and goes on. */
enum verdict io_string(struct vcpu *vcpu, const struct exit_io *io);

#endif
