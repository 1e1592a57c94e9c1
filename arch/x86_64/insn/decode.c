#include "arch/x86_64/insn/decode.h"
#include "arch/x86_64/insn/opcode.h"

/* Where the decoder stands in the bytes. `error` is the first that was met; later reads give 0 and change nothing. */
struct cursor {
	const u8 *bytes;
	u32 available, at;
	int error;
};

#define SEG_NONE 0xff

static u8 take(struct cursor *cursor)
{
	if (cursor->error)
		return 0;
	if (cursor->at >= INSN_MAX_LENGTH) {
		cursor->error = ERR_INVALID;
		return 0;
	}
	if (cursor->at >= cursor->available) {
		cursor->error = ERR_RANGE;
		return 0;
	}
	return cursor->bytes[cursor->at++];
}

/* A little-endian value of 1, 2, 4 or 8 bytes, sign-extended. */
static s64 take_signed(struct cursor *cursor, u32 size)
{
	u64 value = 0;

	for (u32 i = 0; i < size; i++)
		value |= (u64)take(cursor) << (8 * i);
	return (s64)(value << (64 - 8 * size)) >> (64 - 8 * size);
}

struct prefixes {
	bool operand, address;
	u8 segment;
};

static bool take_prefix(u8 byte, struct insn *insn, struct prefixes *prefixes)
{
	static const u8 segments[8] = {0, 1, 2, 3}; /* 26 2e 36 3e */

	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		/* 64-bit mode ignores these four (SDM "Instruction Prefixes"). */
		if (insn->mode != INSN_MODE_64)
			prefixes->segment = segments[byte >> 3 & 3];
		return true;
	case 0x64:
	case 0x65:
		prefixes->segment = (u8)(byte - 0x60);
		return true;
	case 0x66:
		prefixes->operand = true;
		return true;
	case 0x67:
		prefixes->address = true;
		return true;
	case 0xf0:
		insn->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		/* The last of the two counts. */
		insn->rep = byte == 0xf3;
		insn->repne = byte == 0xf2;
		return true;
	default:
		return false;
	}
}

/* Prefixes, REX and the opcode with its escapes; returns the opcode's row, NULL: none. */
static const struct opcode *take_opcode(struct cursor *cursor, struct insn *insn, struct prefixes *prefixes)
{
	u8 byte = take(cursor);

	for (;;) {
		if (take_prefix(byte, insn, prefixes))
			insn->rex = 0; /* a REX counts only right before the opcode */
		else if (insn->mode == INSN_MODE_64 && (byte & 0xf0) == 0x40)
			insn->rex = byte;
		else
			break;
		byte = take(cursor);
		if (cursor->error)
			return NULL;
	}
	if (byte != 0x0f) {
		insn->opcode = byte;
		return &opcode_one[byte];
	}
	insn->map = INSN_MAP_0F;
	insn->opcode = take(cursor);
	return &opcode_0f[insn->opcode];
}

static void set_sizes(struct insn *insn, const struct prefixes *prefixes, u32 flags)
{
	if (insn->mode == INSN_MODE_64) {
		bool wide = insn->rex & 8 || flags & OP_FORCE64 || (flags & OP_DEF64 && !prefixes->operand);

		insn->operand_size = wide ? 8 : prefixes->operand ? 2 : 4;
		insn->address_size = prefixes->address ? 4 : 8;
		return;
	}
	insn->operand_size = (insn->mode == INSN_MODE_16) != prefixes->operand ? 2 : 4;
	insn->address_size = (insn->mode == INSN_MODE_16) != prefixes->address ? 2 : 4;
	/* MOV to and from control and debug registers knows no other size outside 64-bit mode. */
	if (flags & OP_REGISTER)
		insn->operand_size = 4;
}

/* SDM table "16-Bit Addressing Forms with the ModR/M Byte". */
static void take_memory_16(struct cursor *cursor, struct insn *insn)
{
	enum { BX = 3, BP = 5, SI = 6, DI = 7, NO = INSN_NO_REGISTER };
	static const u8 base[8] = {BX, BX, BP, BP, SI, DI, BP, BX}, index[8] = {SI, DI, SI, DI, NO, NO, NO, NO};
	u8 mod = insn->modrm >> 6, rm = insn->modrm & 7;

	insn->base = base[rm];
	insn->index = index[rm];
	if (mod == 0 && rm == 6) {
		insn->base = INSN_NO_REGISTER;
		mod = 2;
	}
	if (mod)
		insn->displacement = take_signed(cursor, mod);
}

static void take_memory(struct cursor *cursor, struct insn *insn)
{
	u8 mod = insn->modrm >> 6, rm = insn->modrm & 7;
	u32 size = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (rm == 4) {
		u8 sib = take(cursor);
		u8 index = (u8)((sib >> 3 & 7) | (insn->rex & 2) << 2);

		insn->index = index == 4 ? INSN_NO_REGISTER : index;
		insn->scale = (u8)(1u << (sib >> 6));
		insn->base = (u8)((sib & 7) | (insn->rex & 1) << 3);
		if ((sib & 7) == 5 && mod == 0) {
			insn->base = INSN_NO_REGISTER;
			size = 4;
		}
	} else if (rm == 5 && mod == 0) {
		insn->rip_relative = insn->mode == INSN_MODE_64;
		size = 4;
	} else {
		insn->base = (u8)(rm | (insn->rex & 1) << 3);
	}
	if (size)
		insn->displacement = take_signed(cursor, size);
}

/* The segment a memory operand uses without a prefix: SS for a base of SP or BP, else DS. */
static u8 default_segment(const struct insn *insn)
{
	return insn->base == 4 || insn->base == 5 ? 2 : 3;
}

static void take_modrm(struct cursor *cursor, struct insn *insn, u32 flags)
{
	insn->has_modrm = true;
	insn->modrm = take(cursor);
	insn->reg = (u8)((insn->modrm >> 3 & 7) | (insn->rex & 4) << 1);
	insn->rm = (u8)((insn->modrm & 7) | (insn->rex & 1) << 3);
	if (insn->modrm >> 6 == 3 || flags & OP_REGISTER)
		return;
	insn->has_memory = true;
	if (insn->address_size == 2)
		take_memory_16(cursor, insn);
	else
		take_memory(cursor, insn);
}

static void take_immediate(struct cursor *cursor, struct insn *insn, u32 flags)
{
	u32 size = 0;

	if (flags & OP_TEST_IMM)
		flags |= (insn->modrm >> 3 & 7) > 1 ? 0 : flags & OP_BYTE ? OP_IMM8 : OP_IMMZ;
	if (flags & OP_MOFFS) {
		insn->has_memory = true;
		insn->displacement = take_signed(cursor, insn->address_size);
		return;
	}
	if (flags & OP_FAR) {
		size = insn->operand_size;
		insn->immediate = take_signed(cursor, size);
		insn->displacement = take_signed(cursor, 2) & 0xffff; /* the selector */
		insn->immediate_size = (u8)size;
		return;
	}
	if (flags & OP_IMM16)
		size = 2;
	else if (flags & OP_IMMZ)
		size = insn->operand_size == 2 ? 2 : 4;
	else if (flags & OP_IMMV)
		size = insn->operand_size;
	else if (flags & OP_IMM8)
		size = 1;
	if (!size)
		return;
	insn->immediate_size = (u8)size;
	insn->immediate = take_signed(cursor, size);
	if ((flags & (OP_IMM16 | OP_IMM8)) == (OP_IMM16 | OP_IMM8))
		take(cursor); /* ENTER's nesting level */
}

/* 0F 01 with registers is a table of its own, in which 66, F2 and F3 select other instructions. */
static int check_0f01(const struct insn *insn, const struct prefixes *prefixes)
{
	if (insn->has_memory)
		return OK;
	if (!(opcode_0f01_registers >> (insn->modrm & 63) & 1))
		return ERR_UNSUPPORTED;
	/* SMSW and LMSW take any prefix. */
	if ((prefixes->operand || insn->rep || insn->repne) && (insn->modrm & 0xe8) != 0xe0 &&
	    (insn->modrm & 0xf8) != 0xf0)
		return ERR_UNSUPPORTED;
	return insn->modrm == 0xf8 && insn->mode != INSN_MODE_64 ? ERR_INVALID : OK; /* SWAPGS */
}

/* What only the whole encoding tells: forms that are #UD, and those that nothing here may guess. */
static int check(const struct insn *insn, const struct opcode *row, const struct prefixes *prefixes)
{
	u8 extension = insn->modrm >> 3 & 7;
	u32 flags = row->flags;

	if (flags & OP_NOT64 && insn->mode == INSN_MODE_64)
		return ERR_INVALID;
	if (flags & OP_PLAIN && (prefixes->operand || insn->rep || insn->repne))
		return ERR_UNSUPPORTED;
	if (flags & OP_GROUP && !(row->extensions >> extension & 1))
		return ERR_UNSUPPORTED;
	if (!insn->has_memory && (flags & OP_MEMORY || row->memory >> extension & 1))
		return ERR_UNSUPPORTED;
	if (row == &opcode_0f[0x01]) {
		int error = check_0f01(insn, prefixes);

		if (error)
			return error;
	}
	/* CR0, CR2, CR3, CR4, CR8; DR0 to DR7. */
	if (flags & OP_REGISTER && !((insn->opcode & 1 ? 0xff : 0x11d) >> insn->reg & 1))
		return ERR_INVALID;
	if (insn->lock && (!(flags & OP_LOCK) || !insn->has_memory ||
			   (flags & OP_GROUP && !(row->lockable >> extension & 1))))
		return ERR_INVALID;
	/* Intel ignores 66 on a near branch in 64-bit mode, AMD obeys it: not guessed. */
	if (flags & OP_RELATIVE && insn->mode == INSN_MODE_64 && prefixes->operand)
		return ERR_UNSUPPORTED;
	return OK;
}

/* Group 5 (FF): near CALL, JMP and PUSH are 64-bit by default; the others obey the prefixes. */
static u32 group_flags(const struct insn *insn, u32 flags, u8 next)
{
	u8 extension = next >> 3 & 7;

	if (insn->map != INSN_MAP_ONE || insn->opcode != 0xff)
		return flags;
	if (extension == 2 || extension == 4)
		return flags | OP_FORCE64;
	return extension == 6 ? flags | OP_DEF64 : flags;
}

int insn_decode(struct insn *insn, const u8 *bytes, u32 available, enum insn_mode mode)
{
	struct cursor cursor = {.bytes = bytes, .available = available};
	struct prefixes prefixes = {.segment = SEG_NONE};
	const struct opcode *row;
	u32 flags;
	int error;

	*insn = (struct insn){.mode = mode, .base = INSN_NO_REGISTER, .index = INSN_NO_REGISTER, .scale = 1};
	row = take_opcode(&cursor, insn, &prefixes);
	if (cursor.error)
		return cursor.error;
	if (!row->flags)
		return ERR_UNSUPPORTED;
	flags = row->flags;
	if (flags & OP_GROUP && cursor.at < available)
		flags = group_flags(insn, flags, bytes[cursor.at]);
	set_sizes(insn, &prefixes, flags);
	if (flags & OP_MODRM)
		take_modrm(&cursor, insn, flags);
	take_immediate(&cursor, insn, flags);
	insn->segment = prefixes.segment != SEG_NONE ? prefixes.segment : default_segment(insn);
	if (cursor.error)
		return cursor.error;
	error = check(insn, row, &prefixes);
	insn->length = (u8)cursor.at;
	return error;
}
