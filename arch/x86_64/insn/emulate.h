/*
 * Carries out one decoded instruction that accesses memory, in the processor's place: for accesses to devices, which
 * second-level translation refused. What can be emulated is in docs/instructions.md; all else is refused, never
 * guessed. Pure: registers and memory are reached by callbacks.
 */
#ifndef ARCH_INSN_EMULATE_H
#define ARCH_INSN_EMULATE_H

#include "arch/x86_64/insn/decode.h"
#include "lib/types.h"

/* Registers by number: 0 to 15 the general ones as instructions encode them, of which RSP stands apart, and: */
#define EMULATE_RSP    4
#define EMULATE_RIP    16 /* of the instruction; only read */
#define EMULATE_RFLAGS 17

struct emulate_operand {
	u8 segment; /* as insn.segment */
	u8 size;    /* bytes: 1, 2, 4, 8 */
	u64 offset; /* effective address, wrapped to the address size */
};

enum emulate_access {
	EMULATE_READ,
	EMULATE_MODIFY, /* read what is written next: checked for both */
	EMULATE_WRITE,
	EMULATE_CHECK, /* check that a write would succeed; *value is not used */
};

/* What does it, for a context. */
struct emulate_machine {
	/* RSP, RIP and RFLAGS. */
	u64 (*get)(void *context, u32 number);
	void (*set)(void *context, u32 number, u64 value);
	/*
	 * One access. False: it cannot be done (a fault, a device that is not ready): the instruction, or this
	 * iteration of it, has then changed nothing, and the context remembers why. A read gives the value
	 * zero-extended.
	 */
	bool (*access)(void *context, const struct emulate_operand *operand, enum emulate_access how, u64 *value);
	/* Width of the stack pointer in bytes (SDM "Address-Size Attributes for Stack Accesses"). */
	u32 (*stack_size)(void *context);
};

enum emulate_result {
	EMULATE_DONE,	/* go on after the instruction */
	EMULATE_REPEAT, /* a part of the repetitions is done and the registers show it: the instruction goes on later */
	EMULATE_STOPPED,     /* access() said no */
	EMULATE_UNSUPPORTED, /* not in the list; nothing was touched */
};

/* How many repetitions of a string instruction at most before EMULATE_REPEAT; one with RFLAGS.TF set. */
#define EMULATE_REPETITIONS 256u

/* `general`: registers 0 to 15 by number, all but RSP's place. */
enum emulate_result emulate(const struct insn *insn, const struct emulate_machine *machine, void *context,
			    u64 *general);

#endif
