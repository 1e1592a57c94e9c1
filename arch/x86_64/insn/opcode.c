/*
 * The supported instructions (SDM vol. 2 appendix "Opcode Map"): the general-purpose and system instructions. x87, MMX,
 * SSE, VEX, EVEX, XOP and 3DNow! have no row: no device is accessed with them by the guests we know, and what has no
 * row is refused.
 */
#include "arch/x86_64/insn/opcode.h"

#define M	   OP_MODRM
#define BYTE_M	   (OP_MODRM | OP_BYTE)
#define ROW(shape) {.flags = OP_OK | (shape)}
#define GROUP(which, shape) {.flags = OP_OK | OP_MODRM | OP_GROUP | (shape), .extensions = (which)}
#define LOCK_GROUP(which, locks, memory_only, shape)                                                           \
	{.flags = OP_OK | OP_MODRM | OP_GROUP | OP_LOCK | (shape), .extensions = (which), .lockable = (locks), \
	 .memory = (memory_only)}

/* ADD, OR, ... in the six forms every arithmetic operation has. `lock`: all but CMP. */
#define ARITHMETIC(base, lock)                                                         \
	[(base) + 0] = ROW(BYTE_M | (lock)), [(base) + 1] = ROW(M | (lock)),           \
	[(base) + 2] = ROW(BYTE_M), [(base) + 3] = ROW(M), [(base) + 4] = ROW(OP_IMM8 | OP_BYTE), \
	[(base) + 5] = ROW(OP_IMMZ)

const struct opcode opcode_one[256] = {
	ARITHMETIC(0x00, OP_LOCK), /* ADD */
	ARITHMETIC(0x08, OP_LOCK), /* OR */
	ARITHMETIC(0x10, OP_LOCK), /* ADC */
	ARITHMETIC(0x18, OP_LOCK), /* SBB */
	ARITHMETIC(0x20, OP_LOCK), /* AND */
	ARITHMETIC(0x28, OP_LOCK), /* SUB */
	ARITHMETIC(0x30, OP_LOCK), /* XOR */
	ARITHMETIC(0x38, 0),	   /* CMP */
	[0x06 ... 0x07] = ROW(OP_NOT64), [0x0e] = ROW(OP_NOT64), [0x16 ... 0x17] = ROW(OP_NOT64),
	[0x1e ... 0x1f] = ROW(OP_NOT64),				     /* PUSH, POP of ES, CS, SS, DS */
	[0x27] = ROW(OP_NOT64), [0x2f] = ROW(OP_NOT64),			     /* DAA, DAS */
	[0x37] = ROW(OP_NOT64), [0x3f] = ROW(OP_NOT64),			     /* AAA, AAS */
	[0x40 ... 0x4f] = ROW(OP_NOT64),				     /* INC, DEC r; REX in 64-bit mode */
	[0x50 ... 0x5f] = ROW(OP_DEF64),				     /* PUSH, POP r */
	[0x60 ... 0x61] = ROW(OP_NOT64),				     /* PUSHA, POPA */
	[0x62] = ROW(M | OP_MEMORY | OP_NOT64),				     /* BOUND; EVEX is refused */
	[0x63] = ROW(M),						     /* ARPL; MOVSXD in 64-bit mode */
	[0x68] = ROW(OP_IMMZ | OP_DEF64),				     /* PUSH imm */
	[0x69] = ROW(M | OP_IMMZ),					     /* IMUL */
	[0x6a] = ROW(OP_IMM8 | OP_DEF64),
	[0x6b] = ROW(M | OP_IMM8),
	[0x6c] = ROW(OP_BYTE), [0x6d] = ROW(0), [0x6e] = ROW(OP_BYTE), [0x6f] = ROW(0), /* INS, OUTS */
	[0x70 ... 0x7f] = ROW(OP_IMM8 | OP_RELATIVE | OP_FORCE64),	     /* Jcc */
	[0x80] = LOCK_GROUP(0xff, 0x7f, 0, OP_IMM8 | OP_BYTE),		     /* group 1: ADD ... CMP */
	[0x81] = LOCK_GROUP(0xff, 0x7f, 0, OP_IMMZ),
	[0x82] = LOCK_GROUP(0xff, 0x7f, 0, OP_IMM8 | OP_BYTE | OP_NOT64),
	[0x83] = LOCK_GROUP(0xff, 0x7f, 0, OP_IMM8),
	[0x84] = ROW(BYTE_M), [0x85] = ROW(M),				     /* TEST */
	[0x86] = ROW(BYTE_M | OP_LOCK), [0x87] = ROW(M | OP_LOCK),	     /* XCHG */
	[0x88] = ROW(BYTE_M), [0x89] = ROW(M), [0x8a] = ROW(BYTE_M), [0x8b] = ROW(M), /* MOV */
	[0x8c] = GROUP(0x3f, 0),						     /* MOV r/m, Sreg */
	[0x8d] = ROW(M | OP_MEMORY),					     /* LEA */
	[0x8e] = GROUP(0x3d, 0),						     /* MOV Sreg, r/m: CS is #UD */
	[0x8f] = GROUP(0x01, OP_DEF64),					     /* POP r/m; XOP is refused */
	[0x90 ... 0x97] = ROW(0),					     /* NOP, PAUSE, XCHG */
	[0x98 ... 0x99] = ROW(0),					     /* CBW, CWD and wider */
	[0x9a] = ROW(OP_FAR | OP_NOT64),				     /* CALL far */
	[0x9c ... 0x9d] = ROW(OP_DEF64),				     /* PUSHF, POPF */
	[0x9e ... 0x9f] = ROW(0),					     /* SAHF, LAHF */
	[0xa0] = ROW(OP_MOFFS | OP_BYTE), [0xa1] = ROW(OP_MOFFS),
	[0xa2] = ROW(OP_MOFFS | OP_BYTE), [0xa3] = ROW(OP_MOFFS),	     /* MOV */
	[0xa4] = ROW(OP_BYTE), [0xa5] = ROW(0), [0xa6] = ROW(OP_BYTE), [0xa7] = ROW(0), /* MOVS, CMPS */
	[0xa8] = ROW(OP_IMM8 | OP_BYTE), [0xa9] = ROW(OP_IMMZ),		     /* TEST */
	[0xaa] = ROW(OP_BYTE), [0xab] = ROW(0), [0xac] = ROW(OP_BYTE), [0xad] = ROW(0), /* STOS, LODS */
	[0xae] = ROW(OP_BYTE), [0xaf] = ROW(0),				     /* SCAS */
	[0xb0 ... 0xb7] = ROW(OP_IMM8 | OP_BYTE), [0xb8 ... 0xbf] = ROW(OP_IMMV), /* MOV r, imm */
	[0xc0] = GROUP(0xff, OP_IMM8 | OP_BYTE), [0xc1] = GROUP(0xff, OP_IMM8), /* group 2: shifts */
	[0xc2] = ROW(OP_IMM16 | OP_FORCE64), [0xc3] = ROW(OP_FORCE64),	     /* RET */
	[0xc4 ... 0xc5] = ROW(M | OP_MEMORY | OP_NOT64),		     /* LES, LDS; VEX is refused */
	[0xc6] = GROUP(0x01, OP_IMM8 | OP_BYTE), [0xc7] = GROUP(0x01, OP_IMMZ), /* group 11: MOV */
	[0xc8] = ROW(OP_IMM16 | OP_IMM8 | OP_DEF64),			     /* ENTER */
	[0xc9] = ROW(OP_DEF64),						     /* LEAVE */
	[0xca] = ROW(OP_IMM16), [0xcb] = ROW(0),			     /* RET far */
	[0xcc] = ROW(0), [0xcd] = ROW(OP_IMM8), [0xce] = ROW(OP_NOT64), [0xcf] = ROW(0), /* INT3, INT, INTO, IRET */
	[0xd0] = GROUP(0xff, OP_BYTE), [0xd1] = GROUP(0xff, 0), [0xd2] = GROUP(0xff, OP_BYTE), [0xd3] = GROUP(0xff, 0),
	[0xd4 ... 0xd5] = ROW(OP_IMM8 | OP_NOT64),			     /* AAM, AAD */
	[0xd7] = ROW(0),						     /* XLAT */
	[0xe0 ... 0xe3] = ROW(OP_IMM8 | OP_RELATIVE | OP_FORCE64),	     /* LOOPcc, JrCXZ */
	[0xe4] = ROW(OP_IMM8 | OP_BYTE), [0xe5] = ROW(OP_IMM8),		     /* IN */
	[0xe6] = ROW(OP_IMM8 | OP_BYTE), [0xe7] = ROW(OP_IMM8),		     /* OUT */
	[0xe8 ... 0xe9] = ROW(OP_IMMZ | OP_RELATIVE | OP_FORCE64),	     /* CALL, JMP */
	[0xea] = ROW(OP_FAR | OP_NOT64), [0xeb] = ROW(OP_IMM8 | OP_RELATIVE | OP_FORCE64),
	[0xec] = ROW(OP_BYTE), [0xed] = ROW(0), [0xee] = ROW(OP_BYTE), [0xef] = ROW(0), /* IN, OUT by DX */
	[0xf1] = ROW(0),						     /* INT1 */
	[0xf4] = ROW(0), [0xf5] = ROW(0),				     /* HLT, CMC */
	[0xf6] = LOCK_GROUP(0xff, 0x0c, 0, OP_TEST_IMM | OP_BYTE),	     /* group 3 */
	[0xf7] = LOCK_GROUP(0xff, 0x0c, 0, OP_TEST_IMM),
	[0xf8 ... 0xfd] = ROW(0),					     /* CLC ... STD */
	[0xfe] = LOCK_GROUP(0x03, 0x03, 0, OP_BYTE),			     /* INC, DEC */
	/* INC, DEC, CALL, JMP, PUSH: sizes in decode.c */
	[0xff] = LOCK_GROUP(0x7f, 0x03, 0x28, 0),
};

const struct opcode opcode_0f[256] = {
	[0x00] = GROUP(0x3f, 0),						     /* SLDT STR LLDT LTR VERR VERW */
	/* SGDT ... INVLPG; with mod 3 VMCALL, XSETBV, ... */
	[0x01] = GROUP(0xdf, 0),
	[0x02 ... 0x03] = ROW(M),					     /* LAR, LSL */
	[0x05] = ROW(OP_FORCE64), [0x06] = ROW(0), [0x07] = ROW(0),	     /* SYSCALL, CLTS, SYSRET */
	[0x08 ... 0x09] = ROW(0),					     /* INVD, WBINVD */
	[0x0b] = ROW(0),						     /* UD2 */
	[0x0d] = GROUP(0xff, OP_MEMORY),				     /* PREFETCHW */
	[0x1f] = ROW(M),						     /* NOP */
	[0x20 ... 0x23] = ROW(M | OP_REGISTER | OP_FORCE64),		     /* MOV CR, DR */
	[0x30 ... 0x33] = ROW(0),					     /* WRMSR, RDTSC, RDMSR, RDPMC */
	[0x34 ... 0x35] = ROW(0),					     /* SYSENTER, SYSEXIT */
	[0x40 ... 0x4f] = ROW(M),					     /* CMOVcc */
	[0x80 ... 0x8f] = ROW(OP_IMMZ | OP_RELATIVE | OP_FORCE64),	     /* Jcc */
	[0x90 ... 0x9f] = ROW(BYTE_M),					     /* SETcc */
	[0xa0 ... 0xa1] = ROW(OP_DEF64), [0xa8 ... 0xa9] = ROW(OP_DEF64),    /* PUSH, POP of FS and GS */
	[0xa2] = ROW(0),						     /* CPUID */
	[0xa3] = ROW(M), [0xab] = ROW(M | OP_LOCK),			     /* BT, BTS */
	[0xb3] = ROW(M | OP_LOCK), [0xbb] = ROW(M | OP_LOCK),		     /* BTR, BTC */
	[0xa4] = ROW(M | OP_IMM8), [0xa5] = ROW(M), [0xac] = ROW(M | OP_IMM8), [0xad] = ROW(M), /* SHLD, SHRD */
	[0xaa] = ROW(0),						     /* RSM */
	[0xaf] = ROW(M),						     /* IMUL */
	[0xb0] = ROW(BYTE_M | OP_LOCK), [0xb1] = ROW(M | OP_LOCK),	     /* CMPXCHG */
	[0xb2] = ROW(M | OP_MEMORY), [0xb4 ... 0xb5] = ROW(M | OP_MEMORY),   /* LSS, LFS, LGS */
	[0xb6 ... 0xb7] = ROW(M), [0xbe ... 0xbf] = ROW(M),		     /* MOVZX, MOVSX */
	[0xba] = LOCK_GROUP(0xf0, 0xe0, 0, OP_IMM8),			     /* BT, BTS, BTR, BTC */
	[0xbc ... 0xbd] = ROW(M),					     /* BSF, BSR, TZCNT, LZCNT */
	[0xc0] = ROW(BYTE_M | OP_LOCK), [0xc1] = ROW(M | OP_LOCK),	     /* XADD */
	[0xc3] = ROW(M | OP_MEMORY | OP_PLAIN),				     /* MOVNTI */
	[0xc7] = LOCK_GROUP(0x02, 0x02, 0, OP_MEMORY),			     /* CMPXCHG8B, CMPXCHG16B */
	[0xc8 ... 0xcf] = ROW(0),					     /* BSWAP */
};

#define KNOWN(modrm) BIT((modrm) - 0xc0)
const u64 opcode_0f01_registers =
	BITS(4, 1) |								/* VMCALL, VMLAUNCH, VMRESUME, VMXOFF */
	KNOWN(0xc8) | KNOWN(0xc9) | KNOWN(0xca) | KNOWN(0xcb) |			/* MONITOR, MWAIT, CLAC, STAC */
	KNOWN(0xd0) | KNOWN(0xd1) |						/* XGETBV, XSETBV */
	BITS(0x1f, 0x18) |							/* VMRUN ... INVLPGA */
	BITS(0x27, 0x20) | BITS(0x37, 0x30) |					/* SMSW, LMSW */
	KNOWN(0xf8) | KNOWN(0xf9);						/* SWAPGS, RDTSCP */
