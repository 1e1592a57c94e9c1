/* Run one instruction on this machine's processor, all registers given and taken. x86-64 hosts only. */
#ifndef TESTS_NATIVE_INSN_H
#define TESTS_NATIVE_INSN_H

#include "lib/types.h"

struct native_state {
	u64 reg[16]; /* by encoding, the stack pointer too */
	u64 rflags;  /* status flags and DF */
};

/* Where the instruction's first byte will lie: RIP for it. */
u64 native_place(void);
/* The GS base for it. */
void native_set_gs(u64 base);
/* Run it; registers and flags are in *state after it. Its memory operands must be mapped, it must not branch. */
void native_run(struct native_state *state, const u8 *bytes, u32 length);

#endif
