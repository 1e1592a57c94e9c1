/* Port I/O of guests. */
#ifndef VMM_IO_H
#define VMM_IO_H

#include "vmm/exit.h"

struct vcpu;

/* The enabled breakpoints that watch these ports: bits 0 to 3. */
u32 io_breakpoints(struct vcpu *vcpu, u16 port, u8 size);
/* Their debug trap, where RIP now is. */
enum verdict io_trap(struct vcpu *vcpu, u32 hit);
/* The access was made and the instruction is over: advance, and trap when a breakpoint watches the port. */
enum verdict io_done(struct vcpu *vcpu, const struct exit_io *io);

/* INS and OUTS, with REP; at most a page's worth of bytes, then the guest is entered again and goes on. */
enum verdict io_string(struct vcpu *vcpu, const struct exit_io *io);

#endif
