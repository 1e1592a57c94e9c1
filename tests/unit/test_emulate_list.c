// sources: arch/x86_64/insn/alu.c arch/x86_64/insn/decode.c arch/x86_64/insn/emulate.c arch/x86_64/insn/emulate_string.c arch/x86_64/insn/emulate_table.c arch/x86_64/insn/opcode.c
/* docs/instructions.md against the emulator: each row works in each form it stands for, and nothing else works. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/emulate_bench.h"

struct listed {
	u8 opcode, escape, extension; /* extension 0xff: /r, 0xfe: no ModRM */
	bool moffs, lock, rep, no_66, mode[3];
	u32 immediate; /* 0, 1; 4: of the operand size */
	char name[32];
};

static struct listed list[400];
static u32 listed;

static void parse_opcode(struct listed *row, char *text)
{
	row->extension = 0xfe;
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, "/r"))
			row->extension = 0xff;
		else if (word[0] == '/')
			row->extension = (u8)(word[1] - '0');
		else if (!strcmp(word, "ib"))
			row->immediate = 1;
		else if (!strcmp(word, "iz"))
			row->immediate = 4;
		else if (!strcmp(word, "moffs"))
			row->moffs = true;
		else if (!strcmp(word, "0F"))
			row->escape = 0x0f;
		else
			row->opcode = (u8)strtoul(word, NULL, 16);
	}
}

static int read_list(void **state)
{
	char line[256], path[512] = TEST_DATA;
	FILE *file;

	(void)state;
	strcpy(strstr(path, "tests/unit/data"), "docs/instructions.md");
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		struct listed *row = &list[listed];
		char opcode[32], prefixes[32], modes[32];

		if (sscanf(line, "| `%31[^`]` | %31[^|] |%31[^|]|%31[^|]|", opcode, row->name, prefixes, modes) != 4)
			continue;
		parse_opcode(row, opcode);
		row->lock = strstr(prefixes, "lock");
		row->rep = strstr(prefixes, "rep");
		row->no_66 = strstr(prefixes, "no 66");
		row->mode[INSN_MODE_16] = strstr(modes, "16");
		row->mode[INSN_MODE_32] = strstr(modes, "32");
		row->mode[INSN_MODE_64] = strstr(modes, "64");
		if (++listed == ARRAY_SIZE(list))
			break;
	}
	fclose(file);
	return 0;
}

/* Prefixes of one trial, by bits. */
#define WITH_66	   BIT(0)
#define WITH_67	   BIT(1)
#define WITH_LOCK  BIT(2)
#define WITH_REP   BIT(3)
#define WITH_REPNE BIT(4)
#define WITH_SEG   BIT(5)
#define WITH_REX   BIT(6) /* REX.WRXB */
#define WITH_ALL   BITS(6, 0)

static u32 put_prefixes(u8 *bytes, u64 with)
{
	static const u8 prefix[] = {0x66, 0x67, 0xf0, 0xf3, 0xf2, 0x64, 0x4f};
	u32 length = 0;

	for (u32 i = 0; i < ARRAY_SIZE(prefix); i++)
		if (with & BIT(i))
			bytes[length++] = prefix[i];
	return length;
}

/* Whether the row's instruction with these prefixes, ModRM and SIB decodes and runs. */
static int try(const struct listed *row, enum insn_mode mode, u64 with, u8 modrm, u8 sib)
{
	u8 bytes[INSN_MAX_LENGTH + 16] = {0};
	u32 length = put_prefixes(bytes, with);
	struct insn insn;
	int error;

	if (row->escape)
		bytes[length++] = row->escape;
	bytes[length++] = row->opcode;
	if (row->extension != 0xfe)
		bytes[length++] = modrm;
	bytes[length] = sib;
	error = insn_decode(&insn, bytes, INSN_MAX_LENGTH, mode);
	if (error)
		return error;
	reg[RCX] = 1;
	accesses = 0;
	return run_emulator(&insn) == EMULATE_DONE && accesses ? OK : ERR_UNSUPPORTED;
}

static void try_row(const struct listed *row, enum insn_mode mode, u64 with)
{
	u32 modrms = row->extension == 0xfe ? 1 : 0xc0;

	for (u32 modrm = 0; modrm < modrms; modrm++) {
		if (row->extension < 8 && (modrm >> 3 & 7) != row->extension)
			continue;
		for (u32 sib = 0; sib < ((modrm & 7) == 4 ? 256 : 1); sib += 7)
			if (try(row, mode, with, (u8)modrm, (u8)sib))
				fail_msg("%s (%02x /%d), mode %d, prefixes %llx, ModRM %02x, SIB %02x", row->name,
					 row->opcode, row->extension, (int)mode, (unsigned long long)with, modrm, sib);
	}
}

/* LOCK where the list does not say so is #UD, and so are instructions that a mode does not have. */
static void try_what_is_not(const struct listed *row, enum insn_mode mode)
{
	u8 modrm = (u8)(row->extension < 8 ? row->extension << 3 : 0);

	if (!row->lock)
		assert_int_equal(try(row, mode, WITH_LOCK, modrm, 0), ERR_INVALID);
	if (!row->mode[mode])
		assert_int_not_equal(try(row, mode, 0, modrm, 0), OK);
}

static void test_all_of_the_list_works(void **state)
{
	(void)state;
	assert_true(listed > 150);
	for (u32 i = 0; i < listed; i++)
		for (enum insn_mode mode = 0; mode <= INSN_MODE_64; mode++) {
			const struct listed *row = &list[i];

			try_what_is_not(row, mode);
			for (u64 with = 0; with <= WITH_ALL && row->mode[mode]; with++) {
				/* With five an instruction can have more than 15 bytes. */
				if (__builtin_popcountll(with) > 4 || (with & WITH_LOCK && !row->lock) ||
				    (with & WITH_66 && row->no_66) || (with & (WITH_REP | WITH_REPNE) && !row->rep) ||
				    (with & WITH_REX && mode != INSN_MODE_64))
					continue;
				try_row(row, mode, with);
			}
		}
}

static bool in_list(enum insn_mode mode, u8 escape, u8 opcode, u8 extension)
{
	for (u32 i = 0; i < listed; i++)
		if (list[i].escape == escape && list[i].opcode == opcode && list[i].mode[mode] &&
		    (list[i].extension >= 0xfe || list[i].extension == extension))
			return true;
	return false;
}

static void test_nothing_else_works(void **state)
{
	u32 worked = 0;

	(void)state;
	for (u32 at = 0; at < 3 * 2 * 256 * 8; at++) {
		enum insn_mode mode = (enum insn_mode)(at / 4096);
		u8 escape = (u8)(at / 2048 % 2 * 0x0f), opcode = (u8)(at / 8), extension = (u8)(at % 8);
		struct listed row = {.escape = escape, .opcode = opcode, .extension = extension, .mode = {0}};
		bool prefix = !escape &&
			      (opcode == 0x0f || opcode == 0x26 || opcode == 0x2e || opcode == 0x36 || opcode == 0x3e ||
			       (opcode >= 0x64 && opcode <= 0x67) || opcode == 0xf0 || opcode == 0xf2 ||
			       opcode == 0xf3 || (mode == INSN_MODE_64 && opcode >= 0x40 && opcode < 0x50));
		bool works = !prefix && try(&row, mode, 0, (u8)(extension << 3), 0) == OK;

		if (works != (!prefix && in_list(mode, escape, opcode, extension)))
			fail_msg("mode %d, %02x %02x /%d: it %s", (int)mode, escape, opcode, extension,
				 works ? "works" : "does not");
		worked += works;
	}
	assert_true(worked > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_of_the_list_works, setup),
		cmocka_unit_test_setup(test_nothing_else_works, setup),
	};

	return cmocka_run_group_tests(tests, read_list, NULL);
}
