/*
 * Which instructions are emulated, by opcode and, for groups, ModRM.reg: docs/instructions.md says the same in words,
 * and tests/unit/test_emulate_list.c that both agree.
 */
#include "arch/x86_64/insn/emulate_parts.h"

#define BYTE	.byte = true
#define DISCARD .discard = true
#define ROW(name, ...)                                                                                                 \
	{                                                                                                              \
		.form = form_##name, __VA_ARGS__                                                                       \
	}
#define ALU(name, op, ...) ROW(name, .operation = alu_##op, __VA_ARGS__)

/* The forms with a memory operand that every arithmetic operation has. */
#define ARITHMETIC(base, op, ...)                                                                                      \
	[(base) + 0] = ALU(rm_reg, op, BYTE, __VA_ARGS__), [(base) + 1] = ALU(rm_reg, op, __VA_ARGS__),                \
		  [(base) + 2] = ALU(reg_rm, op, BYTE, __VA_ARGS__), [(base) + 3] = ALU(reg_rm, op, __VA_ARGS__)

/* MOVS, CMPS, STOS, LODS, SCAS. */
#define STRING(base, name) [base] = ROW(name, BYTE, .string = true), [(base) + 1] = ROW(name, .string = true)

static const struct emulate_row one[256] = {
	ARITHMETIC(0x00, add),
	ARITHMETIC(0x08, or),
	ARITHMETIC(0x10, adc),
	ARITHMETIC(0x18, sbb),
	ARITHMETIC(0x20, and),
	ARITHMETIC(0x28, sub),
	ARITHMETIC(0x30, xor),
	ARITHMETIC(0x38, sub, DISCARD),	    /* CMP */
	[0x63] = ROW(load_sign, .from = 4, .only_64 = true), /* MOVSXD; elsewhere ARPL */
	[0x84] = ALU(rm_reg, and, BYTE, DISCARD),
	[0x85] = ALU(rm_reg, and, DISCARD), /* TEST */
	[0x86] = ROW(exchange, BYTE),
	[0x87] = ROW(exchange),
	[0x88] = ROW(store_reg, BYTE),
	[0x89] = ROW(store_reg),
	[0x8a] = ROW(load, BYTE),
	[0x8b] = ROW(load), /* MOV */
	[0xa0] = ROW(load_rax, BYTE),
	[0xa1] = ROW(load_rax),
	[0xa2] = ROW(store_rax, BYTE),
	[0xa3] = ROW(store_rax),
	STRING(0xa4, move),
	STRING(0xa6, compare),
	STRING(0xaa, store),
	STRING(0xac, load_string),
	STRING(0xae, scan),
};

static const struct emulate_row two[256] = {
	[0x40 ... 0x4f] = ROW(move_if),	      [0x90 ... 0x9f] = ROW(set_if, BYTE), [0xa3] = ALU(bit_reg, bt, DISCARD),
	[0xab] = ALU(bit_reg, bts),	      [0xb3] = ALU(bit_reg, btr),	   [0xbb] = ALU(bit_reg, btc),
	[0xb0] = ROW(compare_exchange, BYTE), [0xb1] = ROW(compare_exchange),	   [0xb6] = ROW(load_zero, .from = 1),
	[0xb7] = ROW(load_zero, .from = 2),   [0xbe] = ROW(load_sign, .from = 1),  [0xbf] = ROW(load_sign, .from = 2),
	[0xc0] = ROW(exchange_add, BYTE),     [0xc1] = ROW(exchange_add),	   [0xc3] = ROW(store_reg), /* MOVNTI */
};

#define GROUP1(...)                                                                                                    \
	{                                                                                                              \
		ALU(rm_imm, add, __VA_ARGS__), ALU(rm_imm, or, __VA_ARGS__), ALU(rm_imm, adc, __VA_ARGS__),            \
			ALU(rm_imm, sbb, __VA_ARGS__), ALU(rm_imm, and, __VA_ARGS__), ALU(rm_imm, sub, __VA_ARGS__),   \
			ALU(rm_imm, xor, __VA_ARGS__), ALU(rm_imm, sub, DISCARD, __VA_ARGS__),                         \
	}
#define GROUP3(...)                                                                                                    \
	{                                                                                                              \
		ALU(rm_imm, and, DISCARD, __VA_ARGS__), ALU(rm_imm, and, DISCARD, __VA_ARGS__),                        \
			ALU(rm_imm, not, __VA_ARGS__), ALU(rm_imm, neg, __VA_ARGS__),                                  \
	}

/* Opcodes whose instruction ModRM.reg chooses. */
static const struct group {
	enum insn_map map;
	u8 opcode;
	struct emulate_row row[8];
} groups[] = {
	{INSN_MAP_ONE, 0x80, GROUP1(BYTE)},
	{INSN_MAP_ONE, 0x81, GROUP1()},
	{INSN_MAP_ONE, 0x82, GROUP1(BYTE)},
	{INSN_MAP_ONE, 0x83, GROUP1()},
	{INSN_MAP_ONE, 0x8f, {ROW(pop)}},
	{INSN_MAP_ONE, 0xc6, {ROW(store_imm, BYTE)}},
	{INSN_MAP_ONE, 0xc7, {ROW(store_imm)}},
	{INSN_MAP_ONE, 0xf6, GROUP3(BYTE)},
	{INSN_MAP_ONE, 0xf7, GROUP3()},
	{INSN_MAP_ONE, 0xfe, {ALU(rm_imm, inc, BYTE), ALU(rm_imm, dec, BYTE)}},
	{INSN_MAP_ONE, 0xff, {ALU(rm_imm, inc), ALU(rm_imm, dec), [6] = ROW(push)}},
	{INSN_MAP_0F, 0xba, {[4] = ALU(rm_imm, bt, DISCARD), ALU(rm_imm, bts), ALU(rm_imm, btr), ALU(rm_imm, btc)}},
};

static const struct emulate_row *__attribute__((noinline)) group_row(const struct insn *insn)
{
	for (u32 i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].map == insn->map && groups[i].opcode == insn->opcode)
			return &groups[i].row[insn->modrm >> 3 & 7];
	return NULL;
}

const struct emulate_row *emulate_row(const struct insn *insn)
{
	const struct emulate_row *row;

	if (LIKELY(insn->map == INSN_MAP_ONE))
		row = &one[insn->opcode];
	else if (insn->map == INSN_MAP_0F)
		row = &two[insn->opcode];
	else
		return NULL;
	if (UNLIKELY(!row->form))
		row = group_row(insn);
	if (UNLIKELY(!row || !row->form || !(insn->has_memory || row->string) ||
		     (row->only_64 && insn->mode != INSN_MODE_64)))
		return NULL;
	return row;
}
