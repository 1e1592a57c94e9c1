/*
 * The instruction at the guest's RIP: its bytes through the guest's page tables, decoded. For exits that come without a
 * length, or whose instruction is carried out here.
 *
 * What was decoded is remembered with all that it was concluded from: registers, entries of page tables, bytes of code.
 * It is used again when every one of them is now what it was then, which is to say when translating and decoding anew
 * would end the same. So a guest that changes its tables, its mode or its code need not tell anyone.
 */
#ifndef VMM_FETCH_H
#define VMM_FETCH_H

#include "arch/x86_64/insn/decode.h"
#include "arch/x86_64/mmu/gwalk.h"
#include "arch/x86_64/mmu/window.h"

struct vcpu;

/* Where code is, and what of the vCPU's state its translation and its decoding depend on (fetch.c). */
struct code_place {
	gva_t linear;
	u64 cr3;
	u32 mode;
};

#define CODE_WORDS 3u /* that an instruction of any length and alignment lies in */
#define FETCHED	   8u /* as many instructions a vCPU remembers */

struct fetched {
	struct code_place place;
	u32 words; /* 0: nothing is remembered */
	struct window_word word[GWALK_LEVELS + CODE_WORDS]; /* page tables from the top, then code */
	struct insn insn;
};

/*
 * Decode the instruction at CS:RIP as the processor would fetch it now; RIP and RFLAGS are cached then. OK, and *insn
 * holds until the next call for this vCPU; or: ERR_RANGE the bytes cannot be read (the guest unmapped its code
 * meanwhile), ERR_INVALID, ERR_UNSUPPORTED as insn_decode().
 */
int fetch_instruction(struct vcpu *vcpu, const struct insn **insn);
/* The bytes from CS:RIP on and the mode they are for, for messages. Returns how many could be read. */
u32 fetch_bytes(struct vcpu *vcpu, u8 bytes[INSN_MAX_LENGTH], enum insn_mode *mode);

#endif
