/*
 * The decoder against Zydis: what both accept has the same length, prefixes and operands, and what ours accepts is an
 * instruction.
 */
#include "tests/fuzz/zydis.h"

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what, const uint8_t *bytes, size_t size, enum insn_mode mode)
{
	fprintf(stderr, "%s, mode %d:", what, (int)mode);
	for (size_t i = 0; i < size && i < INSN_MAX_LENGTH; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fputc('\n', stderr);
	abort();
}

/* Our number of a Zydis register: its place among its class. */
static u8 number(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? INSN_NO_REGISTER : (u8)ZydisRegisterGetId(reg);
}

static const ZydisDecodedOperand *memory_operand(const ZydisDecodedOperand *operands, int count)
{
	for (int i = 0; i < count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operands[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
			return &operands[i];
	return NULL;
}

/* Ours is sign-extended, theirs sometimes. */
static bool same_immediate(const struct insn *ours, u64 theirs)
{
	u32 unused = 64 - 8u * ours->immediate_size;

	return (u64)ours->immediate << unused == theirs << unused;
}

static const char *compare(const struct insn *ours, const ZydisDecodedInstruction *theirs,
			   const ZydisDecodedOperand *operands)
{
	const ZydisDecodedOperand *memory = memory_operand(operands, theirs->operand_count);

	if (ours->length != theirs->length)
		return "length";
	if (ours->address_size * 8 != theirs->address_width)
		return "address size";
	if (ours->has_modrm &&
	    ours->modrm != ((theirs->raw.modrm.mod << 6) | (theirs->raw.modrm.reg << 3) | theirs->raw.modrm.rm))
		return "ModRM";
	if (ours->immediate_size && theirs->raw.imm[0].size && ours->immediate_size * 8 != theirs->raw.imm[0].size)
		return "immediate size";
	if (ours->immediate_size && theirs->raw.imm[0].size && !same_immediate(ours, theirs->raw.imm[0].value.u))
		return "immediate";
	if (!memory)
		return NULL;
	if (!ours->has_memory)
		return "memory operand";
	if (ours->rip_relative != (memory->mem.base == ZYDIS_REGISTER_RIP || memory->mem.base == ZYDIS_REGISTER_EIP))
		return "RIP-relative";
	/*
	 * SDM "32-Bit Addressing Forms with the SIB Byte": mod 0 and base 5 mean no base whatever REX.B says; Zydis 4.0
	 * with 67 says R13D.
	 */
	if (ours->address_size == 4 && ours->rex & 1 && ours->base == INSN_NO_REGISTER)
		return NULL;
	if (!ours->rip_relative && ours->base != number(memory->mem.base))
		return "base";
	if (ours->index != number(memory->mem.index))
		return "index";
	if (ours->index != INSN_NO_REGISTER && ours->address_size != 2 && ours->scale != memory->mem.scale)
		return "scale";
	if (ours->displacement != memory->mem.disp.value)
		return "displacement";
	/*
	 * 3E before an indirect CALL or JMP is NOTRACK to Zydis; where CET is off it is the DS override it always was.
	 */
	if (theirs->attributes & ZYDIS_ATTRIB_HAS_NOTRACK)
		return NULL;
	if (memory->mem.type == ZYDIS_MEMOP_TYPE_MEM && ours->segment != ZydisRegisterGetId(memory->mem.segment))
		return "segment";
	return NULL;
}

bool compare_with_zydis(const u8 *bytes, size_t size, enum insn_mode mode)
{
	static const struct {
		ZydisMachineMode machine;
		ZydisStackWidth width;
	} modes[] = {
		[INSN_MODE_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
		[INSN_MODE_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
		[INSN_MODE_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
	};
	ZydisDecodedInstruction theirs;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecoder decoder;
	struct insn ours;
	const char *what;

	if (insn_decode(&ours, bytes, (u32)size, mode) != OK)
		return false;
	ZydisDecoderInit(&decoder, modes[mode].machine, modes[mode].width);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, size, &theirs, operands)))
		fail("accepted what is no instruction", bytes, size, mode);
	what = compare(&ours, &theirs, operands);
	if (what)
		fail(what, bytes, size, mode);
	return true;
}
