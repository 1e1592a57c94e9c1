/*
 * The one x86 decoder: table-driven and pure (SDM vol. 2 "Instruction Format"; appendix "Opcode Map"). It gives length,
 * prefixes and operands of every instruction in the supported list (docs/instructions.md); what is outside is refused,
 * never guessed.
 */
#ifndef ARCH_INSN_DECODE_H
#define ARCH_INSN_DECODE_H

#include "lib/types.h"

#define INSN_MAX_LENGTH 15

enum insn_mode { INSN_MODE_16, INSN_MODE_32, INSN_MODE_64 };

/* Opcode maps: how many escape bytes stood before the opcode. */
enum insn_map { INSN_MAP_ONE, INSN_MAP_0F, INSN_MAP_0F38, INSN_MAP_0F3A };

#define INSN_NO_REGISTER 0xff

struct insn {
	u8 length; /* bytes, prefixes included */
	enum insn_mode mode;
	enum insn_map map;
	u8 opcode;
	u8 operand_size; /* 2, 4, 8: of the non-byte forms */
	u8 address_size; /* 2, 4, 8 */
	u8 rex;		 /* 0: none */
	bool lock, rep, repne;
	u8 segment; /* of the memory operand, override or default; numbered ES 0, CS 1, SS 2, DS 3, FS 4, GS 5 */

	bool has_modrm, has_memory; /* has_memory: ModRM (or moffs) names memory */
	u8 modrm;
	u8 reg; /* ModRM.reg with REX.R: 0..15 */
	u8 rm;	/* ModRM.rm with REX.B when it names a register */
	u8 base, index, scale; /* of the memory operand; INSN_NO_REGISTER: none. scale: 1, 2, 4, 8 */
	bool rip_relative;     /* the displacement counts from the end of the instruction */
	s64 displacement;

	u8 immediate_size; /* bytes; 0: none */
	s64 immediate;	   /* sign-extended */
};

/*
 * Decode the instruction that starts at bytes[0]. OK; ERR_RANGE: it is longer than `available` (get more and call
 * again); ERR_INVALID: over 15 bytes, or #UD on every processor; ERR_UNSUPPORTED: not in the list.
 */
int insn_decode(struct insn *insn, const u8 *bytes, u32 available, enum insn_mode mode);

#endif
