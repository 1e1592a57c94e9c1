// sources: arch/x86_64/insn/decode.c arch/x86_64/insn/opcode.c
/*
 * The decoder against Zydis, byte strings of any kind: what both accept has the same length, prefixes and operands, and what
 * ours accepts is an instruction. Byte 0 of the input chooses the mode.
 */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/insn/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static const ZydisDecodedOperand *memory_operand(const ZydisDecodedInstruction *theirs)
{
	for (int i = 0; i < theirs->operand_count; i++)
		if (theirs->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    theirs->operands[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
			return &theirs->operands[i];
	return NULL;
}

static const char *compare(const struct insn *ours, const ZydisDecodedInstruction *theirs)
{
	const ZydisDecodedOperand *memory = memory_operand(theirs);

	if (ours->length != theirs->length)
		return "length";
	if (ours->address_size * 8 != theirs->address_width)
		return "address size";
	if (ours->has_modrm && ours->modrm != ((theirs->raw.modrm.mod << 6) | (theirs->raw.modrm.reg << 3) | theirs->raw.modrm.rm))
		return "ModRM";
	if (ours->immediate_size && theirs->raw.imm[0].size && ours->immediate_size * 8 != theirs->raw.imm[0].size)
		return "immediate size";
	if (!memory)
		return NULL;
	if (!ours->has_memory)
		return "memory operand";
	if (ours->rip_relative != (memory->mem.base == ZYDIS_REGISTER_RIP || memory->mem.base == ZYDIS_REGISTER_EIP))
		return "RIP-relative";
	if (!ours->rip_relative && ours->base != number(memory->mem.base))
		return "base";
	if (ours->index != number(memory->mem.index))
		return "index";
	if (ours->index != INSN_NO_REGISTER && ours->address_size != 2 && ours->scale != memory->mem.scale)
		return "scale";
	if (ours->displacement != memory->mem.disp.value)
		return "displacement";
	if (memory->mem.type == ZYDIS_MEMOP_TYPE_MEM && ours->segment != ZydisRegisterGetId(memory->mem.segment))
		return "segment";
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		ZydisMachineMode machine;
		ZydisAddressWidth width;
	} modes[] = {
		[INSN_MODE_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_ADDRESS_WIDTH_16},
		[INSN_MODE_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_ADDRESS_WIDTH_32},
		[INSN_MODE_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_ADDRESS_WIDTH_64},
	};
	ZydisDecodedInstruction theirs;
	ZydisDecoder decoder;
	struct insn ours;
	enum insn_mode mode;
	const char *what;

	if (size < 2)
		return 0;
	mode = (enum insn_mode)(data[0] % 3);
	data++;
	size--;
	if (insn_decode(&ours, data, (u32)size, mode) != OK)
		return 0;
	ZydisDecoderInit(&decoder, modes[mode].machine, modes[mode].width);
	if (ZYAN_FAILED(ZydisDecoderDecodeBuffer(&decoder, data, size, &theirs)))
		fail("accepted what is no instruction", data, size, mode);
	what = compare(&ours, &theirs);
	if (what)
		fail(what, data, size, mode);
	return 0;
}
