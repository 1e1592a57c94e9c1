// sources: tests/fuzz/zydis.c arch/x86_64/insn/decode.c arch/x86_64/insn/opcode.c
/* The decoder against Zydis, byte strings of any kind. Byte 0 of the input chooses the mode. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/zydis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 2)
		compare_with_zydis(data + 1, size - 1, (enum insn_mode)(data[0] % 3));
	return 0;
}
