// sources: tests/fuzz/zydis.c arch/x86_64/insn/decode.c arch/x86_64/insn/opcode.c
/*
 * The decoder against Zydis: every opcode of every map, with every ModRM, in every mode and with sets of prefixes; what
 * follows is a different SIB, displacement and immediate each time. Prints how many encodings were compared; a mismatch
 * ends it.
 */
#include "tests/fuzz/zydis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST  10000000ull
#define ROUNDS 2u

static const char *const prefixes[] = {
	"",	    "\x66",	"\x67",	    "\xf0",	"\xf2",	    "\xf3",	"\x2e",	    "\x64",
	"\x65\x67", "\x66\x67", "\x66\xf2", "\x66\xf3", "\x3e\x66", "\xf3\x67", "\xf0\x66", "\x36\x66\x67",
};
/* In 64-bit mode these stand behind each of the above; elsewhere they would be INC and DEC, which the opcodes have. */
static const char *const rex[] = {"", "\x40", "\x48", "\x4f", "\x43"};
static const char *const maps[] = {"", "\x0f", "\x0f\x38", "\x0f\x3a"};

/* xorshift: the same bytes in each run. */
static u64 noise(void)
{
	static u64 state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t put(u8 *at, const char *text)
{
	size_t length = strlen(text);

	memcpy(at, text, length);
	return length;
}

/* One prefix set, map and mode: all opcodes, all ModRM bytes. Returns how many were compared. */
static u64 compare_opcodes(enum insn_mode mode, const char *prefix, const char *extension, const char *map)
{
	u8 bytes[INSN_MAX_LENGTH + 16];
	size_t length = put(bytes, prefix);
	u64 compared = 0;

	length += put(bytes + length, extension);
	length += put(bytes + length, map);
	for (u32 i = 0; i < 0x10000; i++) {
		u64 rest[2] = {noise(), noise()};

		bytes[length] = (u8)(i >> 8);
		bytes[length + 1] = (u8)i;
		memcpy(bytes + length + 2, rest, INSN_MAX_LENGTH - length - 2);
		compared += compare_with_zydis(bytes, INSN_MAX_LENGTH, mode);
	}
	return compared;
}

/* All maps behind one prefix set. */
static u64 compare_maps(enum insn_mode mode, const char *prefix)
{
	u64 compared = 0;

	for (size_t map = 0; map < ARRAY_SIZE(maps); map++)
		for (size_t i = 0; i < (mode == INSN_MODE_64 ? ARRAY_SIZE(rex) : 1); i++)
			compared += compare_opcodes(mode, prefix, rex[i], maps[map]);
	return compared;
}

int main(void)
{
	u64 compared = 0;

	for (u32 round = 0; round < ROUNDS; round++)
		for (enum insn_mode mode = 0; mode <= INSN_MODE_64; mode++)
			for (size_t prefix = 0; prefix < ARRAY_SIZE(prefixes); prefix++)
				compared += compare_maps(mode, prefixes[prefix]);
	printf("%llu instructions compared, no mismatch\n", (unsigned long long)compared);
	return compared >= LEAST ? 0 : 1;
}
