/* What the decoder knows of each opcode: the tables of opcode.c, read by decode.c alone. Pure. */
#ifndef ARCH_INSN_OPCODE_H
#define ARCH_INSN_OPCODE_H

#include "lib/types.h"

/* Shape of an instruction; 0: not supported. */
#define OP_OK	    BIT(0)
#define OP_MODRM    BIT(1)
#define OP_IMM8	    BIT(2)
#define OP_IMM16    BIT(3)
#define OP_IMMZ	    BIT(4)  /* 2 bytes with operand size 2, else 4 */
#define OP_IMMV	    BIT(5)  /* 2, 4 or 8: MOV r, imm */
#define OP_MOFFS    BIT(6)  /* an address of the address size */
#define OP_FAR	    BIT(7)  /* offset of the operand size and a selector */
#define OP_NOT64    BIT(8)  /* #UD in 64-bit mode */
#define OP_ONLY64   BIT(9)
#define OP_DEF64    BIT(10) /* operand size is 8 in 64-bit mode unless 66 makes it 2 */
#define OP_FORCE64  BIT(11) /* operand size is 8 in 64-bit mode whatever the prefixes; a relative branch refuses 66 */
#define OP_MEMORY   BIT(12) /* ModRM must name memory */
#define OP_REGISTER BIT(13) /* ModRM names registers whatever its mod says (MOV to CR and DR) */
#define OP_LOCK	    BIT(14) /* LOCK is allowed when the destination is memory */
#define OP_GROUP    BIT(15) /* a row a ModRM.reg: `extensions` says which exist */
#define OP_TEST_IMM BIT(16) /* group 3: the immediate is there for /0 and /1 only */
#define OP_RELATIVE BIT(17) /* the immediate is a branch displacement */
#define OP_BYTE	    BIT(18) /* byte operands */
#define OP_PLAIN    BIT(19) /* 66, F2 and F3 make another instruction of it, which is not supported */

struct opcode {
	u32 flags;
	u8 extensions; /* OP_GROUP: bit n set: /n is supported */
	u8 lockable;   /* OP_GROUP with OP_LOCK: which of them take LOCK */
	u8 memory;     /* OP_GROUP: which of them must name memory */
};

/* 0F 01 with a ModRM of C0 to FF: bit (ModRM - C0) set: an instruction we know. */
extern const u64 opcode_0f01_registers;

extern const struct opcode opcode_one[256], opcode_0f[256];

#endif
