// sources: arch/x86_64/insn/alu.c arch/x86_64/insn/decode.c arch/x86_64/insn/emulate.c arch/x86_64/insn/emulate_string.c arch/x86_64/insn/emulate_table.c arch/x86_64/insn/opcode.c tests/unit/native_insn.c
/*
 * The emulator against this machine's processor: the same instruction on the same registers and memory, and what is
 * left must be equal. Each instruction of the list that 64-bit mode has, with all operand sizes and addressing modes,
 * on random and on awkward values.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/insn/emulate.h"
#include "tests/unit/native_insn.h"

#define STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* Memory that instructions work on, below 2 GiB for 32-bit addresses; registers point at its middle. */
#define ARENA	   0x20100000ull
#define ARENA_SIZE 0x4000u
#define MIDDLE	   (ARENA + ARENA_SIZE / 2)
#define GS_BASE	   0x100000ull /* small, so that GS:x with x below the arena is in it */

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static u8 *arena;
static u8 before[ARENA_SIZE], native[ARENA_SIZE];
static struct native_state state; /* the emulated registers */
static u64 random_state = 0x9e3779b97f4a7c15ull;
static u32 compared;

static u64 random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dull;
}

/* Values at which carries, signs and overflows change. */
static u64 awkward(void)
{
	static const u64 values[] = {0,
				     1,
				     0x7f,
				     0x80,
				     0xff,
				     0x7fff,
				     0x8000,
				     0xffff,
				     0x7fffffff,
				     0x80000000,
				     0xffffffff,
				     0x7fffffffffffffff,
				     0x8000000000000000,
				     ~0ull};
	u64 word = random_word();

	return word & 3 ? word >> 2 : values[(word >> 2) % ARRAY_SIZE(values)];
}

static u64 get(void *context, u32 number)
{
	(void)context;
	return number == EMULATE_RIP ? native_place() : number == EMULATE_RFLAGS ? state.rflags : state.reg[number];
}

static void set(void *context, u32 number, u64 value)
{
	(void)context;
	if (number == EMULATE_RFLAGS)
		state.rflags = value;
	else
		state.reg[number] = value;
}

static bool access(void *context, const struct emulate_operand *operand, enum emulate_access how, u64 *value)
{
	u64 linear = operand->offset + (operand->segment == 5 ? GS_BASE : 0);

	(void)context;
	assert_in_range(linear, ARENA, ARENA + ARENA_SIZE - operand->size);
	if (how == EMULATE_WRITE) {
		assert_true(operand->size == 8 || !(*value >> (8 * operand->size)));
		memcpy((void *)linear, value, operand->size);
	} else if (how != EMULATE_CHECK) {
		*value = 0;
		memcpy(value, (void *)linear, operand->size);
	}
	return true;
}

static u32 stack_size(void *context)
{
	(void)context;
	return 8;
}

static const struct emulate_machine machine = {.get = get, .set = set, .access = access, .stack_size = stack_size};

static int setup(void **unused)
{
	(void)unused;
	arena = mmap((void *)ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	native_set_gs(GS_BASE);
	return arena == (u8 *)ARENA ? 0 : -1;
}

static void describe(const u8 *bytes, u32 length, const char *what, u64 ours, u64 theirs)
{
	char text[64] = "";

	for (u32 i = 0; i < length; i++)
		snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ", bytes[i]);
	fail_msg("%s: %s 0x%llx, the processor has 0x%llx", text, what, (unsigned long long)ours,
		 (unsigned long long)theirs);
}

/* `state` and the arena are set; run both ways and compare, flags by `defined`. */
static void compare(const u8 *bytes, u32 length, u64 defined)
{
	struct native_state theirs = state;
	struct insn insn;

	assert_int_equal(insn_decode(&insn, bytes, length, INSN_MODE_64), OK);
	assert_int_equal(insn.length, length);
	memcpy(before, arena, ARENA_SIZE);
	native_run(&theirs, bytes, length);
	memcpy(native, arena, ARENA_SIZE);
	memcpy(arena, before, ARENA_SIZE);
	assert_int_equal(emulate(&insn, &machine, NULL, state.reg), EMULATE_DONE);
	for (u32 i = 0; i < 16; i++)
		if (state.reg[i] != theirs.reg[i])
			describe(bytes, length, "a register", state.reg[i], theirs.reg[i]);
	if ((state.rflags ^ theirs.rflags) & (defined | RFLAGS_DF))
		describe(bytes, length, "RFLAGS", state.rflags, theirs.rflags);
	for (u32 i = 0; i < ARENA_SIZE; i++)
		if (arena[i] != native[i])
			describe(bytes, length, "memory", arena[i], native[i]);
	compared++;
}

static void fill(void)
{
	for (u32 i = 0; i < ARENA_SIZE; i += 8) {
		u64 word = awkward();

		memcpy(arena + i, &word, 8);
	}
	for (u32 i = 0; i < 16; i++)
		state.reg[i] = awkward();
	state.rflags = RFLAGS_ONE | RFLAGS_IF | (random_word() & STATUS);
	state.reg[RSP] = MIDDLE;
}

/* An instruction in the making. */
struct code {
	u8 bytes[16];
	u32 length;
};

static void put(struct code *code, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++)
		code->bytes[code->length++] = (u8)(value >> (8 * i));
}

/* Each way to name memory, `rex` asking for the upper registers. The registers that it needs are set to match. */
enum addressing {
	ADDRESS_BASE,
	ADDRESS_DISP8,
	ADDRESS_DISP32,
	ADDRESS_SIB,
	ADDRESS_SIB_DISP8,
	ADDRESS_INDEX_ONLY,
	ADDRESS_ABSOLUTE,
	ADDRESS_RIP,
	ADDRESS_STACK,
	ADDRESSINGS,
};

#define BASE  RSI
#define INDEX RBX

static void put_address(struct code *code, enum addressing how, u32 reg, u8 rex, u64 target, u32 immediate)
{
	u32 base = BASE + (rex & 1 ? 8 : 0), index = INDEX + (rex & 2 ? 8 : 0);
	u8 middle = (u8)(reg << 3);
	u64 scaled = random_word() % 16;

	switch (how) {
	case ADDRESS_BASE:
		put(code, middle | BASE, 1);
		state.reg[base] = target;
		break;
	case ADDRESS_DISP8:
		put(code, 0x40u | middle | BASE | 0xf000, 2);
		state.reg[base] = target + 16;
		break;
	case ADDRESS_DISP32:
		put(code, 0x80u | middle | BASE, 1);
		put(code, 0x12345678, 4);
		state.reg[base] = target - 0x12345678;
		break;
	case ADDRESS_SIB:
		put(code, (4u | middle) | (0x80u | INDEX << 3 | BASE) << 8, 2);
		state.reg[index] = scaled;
		state.reg[base] = target - 4 * scaled;
		break;
	case ADDRESS_SIB_DISP8:
		put(code, (0x44u | middle) | (0xc0u | INDEX << 3 | BASE) << 8 | 0x7f0000, 3);
		state.reg[index] = (u64)-5;
		state.reg[base] = target + 40 - 0x7f;
		break;
	case ADDRESS_INDEX_ONLY:
		put(code, (4u | middle) | (0x40u | INDEX << 3 | 5) << 8, 2);
		put(code, target - 64, 4);
		state.reg[index] = 32;
		break;
	case ADDRESS_ABSOLUTE:
		put(code, (4u | middle) | 0x2500, 2);
		put(code, target, 4);
		break;
	case ADDRESS_RIP:
		put(code, middle | 5u, 1);
		put(code, target - (native_place() + code->length + 4 + immediate), 4);
		break;
	default:
		put(code, (0x44u | middle) | 0x2400 | 0x080000, 3); /* 8(%rsp), with REX.B 8(%r12) */
		state.reg[RSP + (rex & 1 ? 8 : 0)] = target - 8;
	}
}

/* What is tried with each instruction. */
struct trial {
	u8 map; /* 0x0f: after that byte */
	u8 opcode;
	s8 reg;	      /* ModRM.reg of a group; -1: any register */
	u8 immediate; /* bytes; 0xff: of the operand size, at most 4 */
	bool byte;
	bool lock; /* takes LOCK */
	u64 flags; /* those the SDM defines, or leaves as they are */
};

#define ALL   STATUS
#define LOGIC (STATUS & ~RFLAGS_AF)
#define CARRY (RFLAGS_CF | RFLAGS_ZF)
#define BYTE  true
#define LOCK  true
#define IMM_Z 0xff
#define PAIR(base, lock, flags)                                                                                        \
	{0, (base), -1, 0, BYTE, lock, flags},                                                                         \
	{                                                                                                              \
		0, (base) + 1, -1, 0, false, lock, flags                                                               \
	}
#define FOUR(base, lock, flags) PAIR(base, lock, flags), PAIR((base) + 2, false, flags)
#define GROUP1(reg, lock, flags)                                                                                       \
	{0, 0x80, reg, 1, BYTE, lock, flags}, {0, 0x81, reg, IMM_Z, false, lock, flags},                               \
	{                                                                                                              \
		0, 0x83, reg, 1, false, lock, flags                                                                    \
	}

static const struct trial trials[] = {
	FOUR(0x00, LOCK, ALL),
	FOUR(0x08, LOCK, LOGIC),
	FOUR(0x10, LOCK, ALL),
	FOUR(0x18, LOCK, ALL),
	FOUR(0x20, LOCK, LOGIC),
	FOUR(0x28, LOCK, ALL),
	FOUR(0x30, LOCK, LOGIC),
	FOUR(0x38, false, ALL),
	GROUP1(0, LOCK, ALL),
	GROUP1(1, LOCK, LOGIC),
	GROUP1(2, LOCK, ALL),
	GROUP1(3, LOCK, ALL),
	GROUP1(4, LOCK, LOGIC),
	GROUP1(5, LOCK, ALL),
	GROUP1(6, LOCK, LOGIC),
	GROUP1(7, false, ALL),
	{0, 0x63, -1, 0, false, false, ALL},
	PAIR(0x84, false, LOGIC),
	PAIR(0x86, LOCK, ALL),
	PAIR(0x88, false, ALL),
	PAIR(0x8a, false, ALL),
	{0, 0x8f, 0, 0, false, false, ALL},
	{0, 0xc6, 0, 1, BYTE, false, ALL},
	{0, 0xc7, 0, IMM_Z, false, false, ALL},
	{0, 0xf6, 0, 1, BYTE, false, LOGIC},
	{0, 0xf7, 0, IMM_Z, false, false, LOGIC},
	{0, 0xf6, 1, 1, BYTE, false, LOGIC},
	{0, 0xf7, 1, IMM_Z, false, false, LOGIC},
	{0, 0xf6, 2, 0, BYTE, LOCK, ALL},
	{0, 0xf7, 2, 0, false, LOCK, ALL},
	{0, 0xf6, 3, 0, BYTE, LOCK, ALL},
	{0, 0xf7, 3, 0, false, LOCK, ALL},
	{0, 0xfe, 0, 0, BYTE, LOCK, ALL},
	{0, 0xff, 0, 0, false, LOCK, ALL},
	{0, 0xfe, 1, 0, BYTE, LOCK, ALL},
	{0, 0xff, 1, 0, false, LOCK, ALL},
	{0, 0xff, 6, 0, false, false, ALL},
	{0x0f, 0xba, 4, 1, false, false, CARRY},
	{0x0f, 0xba, 5, 1, false, LOCK, CARRY},
	{0x0f, 0xba, 6, 1, false, LOCK, CARRY},
	{0x0f, 0xba, 7, 1, false, LOCK, CARRY},
	{0x0f, 0xb0, -1, 0, BYTE, LOCK, ALL},
	{0x0f, 0xb1, -1, 0, false, LOCK, ALL},
	{0x0f, 0xb6, -1, 0, false, false, ALL},
	{0x0f, 0xb7, -1, 0, false, false, ALL},
	{0x0f, 0xbe, -1, 0, false, false, ALL},
	{0x0f, 0xbf, -1, 0, false, false, ALL},
	{0x0f, 0xc0, -1, 0, BYTE, LOCK, ALL},
	{0x0f, 0xc1, -1, 0, false, LOCK, ALL},
};

/* One encoding of a trial with random everything else. */
static struct code encode(const struct trial *trial, enum addressing how, bool word, bool lock)
{
	u8 rex = (u8)(random_word() & 1 ? 0x40 | (random_word() & 15) : 0);
	u32 reg = trial->reg < 0 ? (u32)random_word() & 7 : (u32)trial->reg;
	u32 immediate = trial->immediate == IMM_Z ? (word && !(rex & 8) ? 2 : 4) : trial->immediate;
	struct code code = {.length = 0};
	u64 target = MIDDLE + random_word() % 64;
	bool gs = random_word() % 4 == 0 && how != ADDRESS_RIP && how != ADDRESS_STACK;

	/* With REX.X the index that says "none" would be R12. */
	if (how == ADDRESS_ABSOLUTE || how == ADDRESS_STACK)
		rex &= (u8)~2;
	if (gs)
		put(&code, 0x65, 1);
	if (word)
		put(&code, 0x66, 1);
	if (lock)
		put(&code, 0xf0, 1);
	if (rex)
		put(&code, rex, 1);
	if (trial->map)
		put(&code, trial->map, 1);
	put(&code, trial->opcode, 1);
	put_address(&code, how, reg, rex, gs ? target - GS_BASE : target, immediate);
	put(&code, awkward(), immediate);
	return code;
}

static void try_trial(const struct trial *trial)
{
	for (u32 round = 0; round < 24; round++)
		for (enum addressing how = 0; how < ADDRESSINGS; how++) {
			struct code code;

			fill();
			code = encode(trial, how, round & 1, trial->lock && round & 2);
			if (trial->opcode == 0xb1 && round & 4)
				state.reg[RAX] = *(u64 *)(arena + ARENA_SIZE / 2); /* may be equal */
			compare(code.bytes, code.length, trial->flags);
		}
}

static void test_all(void **unused)
{
	(void)unused;
	for (u32 i = 0; i < ARRAY_SIZE(trials); i++)
		try_trial(&trials[i]);
	assert_true(compared > 10000);
}

/* The conditions: all sixteen with all flags that count, for CMOVcc and SETcc. */
static void test_conditions(void **unused)
{
	(void)unused;
	for (u32 code = 0; code < 16; code++)
		for (u32 flags = 0; flags < 64; flags++) {
			const u8 move[] = {0x0f, (u8)(0x40 + code), 0x06},
				 move64[] = {0x48, 0x0f, (u8)(0x40 + code), 0x06};
			const u8 set_byte[] = {0x0f, (u8)(0x90 + code), 0x06};
			u64 wanted = (flags & 1) | (flags & 2) << 1 | (flags & 4) << 2 | (u64)(flags & 0x18) << 3 |
				     (u64)(flags & 0x20) << 6;

			for (u32 i = 0; i < 3; i++) {
				fill();
				state.rflags = (state.rflags & ~STATUS) | wanted;
				state.reg[RSI] = MIDDLE;
				compare(i == 0 ? move : i == 1 ? move64 : set_byte, i == 1 ? 4 : 3, ALL);
			}
		}
}

/* Bit numbers beyond the operand, to both sides. */
static void test_bit_strings(void **unused)
{
	static const u8 opcodes[] = {0xa3, 0xab, 0xb3, 0xbb};

	(void)unused;
	for (u32 i = 0; i < 4 * 3 * 100; i++) {
		u8 prefix = (u8[]){0x66, 0x48, 0x40}[i % 3];
		const u8 code[] = {prefix, 0x0f, opcodes[i / 3 % 4], 0x0e}; /* (%rsi), %rcx */

		fill();
		state.reg[RSI] = MIDDLE;
		state.reg[RCX] = (u64)((s64)(random_word() % 40000) - 20000);
		if (i % 3 != 1)
			state.reg[RCX] |= 0xaaaa000000000000ull;
		if (i % 3 == 0)
			state.reg[RCX] = (state.reg[RCX] & 0xffff) | 0x1234560000;
		/* -32768 / 8 bytes stays in the arena. */
		compare(code, sizeof(code), CARRY);
	}
}

/* MOV between the accumulator and an absolute address of 8 or, with 67, 4 bytes. */
static void test_absolute_moves(void **unused)
{
	(void)unused;
	for (u32 i = 0; i < 4 * 4 * 2; i++) {
		struct code code = {.length = 0};

		fill();
		if (i & 1)
			put(&code, 0x67, 1);
		if (i >> 1 & 3)
			put(&code, (u8[]){0, 0x66, 0x48, 0x40}[i >> 1 & 3], 1);
		put(&code, 0xa0 + (i >> 3 & 3), 1);
		put(&code, MIDDLE + 3, i & 1 ? 4 : 8);
		compare(code.bytes, code.length, ALL);
	}
}

static void test_movnti(void **unused)
{
	static const u8 narrow[] = {0x0f, 0xc3, 0x0e}, wide[] = {0x48, 0x0f, 0xc3, 0x0e};

	(void)unused;
	fill();
	state.reg[RSI] = MIDDLE;
	compare(narrow, 3, ALL);
	fill();
	state.reg[RSI] = MIDDLE;
	compare(wide, 4, ALL);
}

static bool compares(u8 opcode)
{
	return (opcode & 0xfe) == 0xa6 || (opcode & 0xfe) == 0xae;
}

/* String instructions: sizes, directions, REP and REPNE, 32-bit addresses, a segment override. */
static void try_string(u8 opcode, u32 how)
{
	static const u8 repeats[] = {0, 0xf3, 0xf2};
	u8 repeat = repeats[how % 3], size = (u8[]){0, 0x66, 0x48}[how / 3 % 3];
	struct code code = {.length = 0};

	if (repeat)
		put(&code, repeat, 1);
	if (how / 9 & 1)
		put(&code, 0x67, 1);
	if (how / 18 & 1)
		put(&code, 0x65, 1);
	if (size)
		put(&code, size, 1);
	put(&code, opcode, 1);
	fill();
	/* Comparisons need something to compare equal. */
	for (u32 i = 0; compares(opcode) && i < ARENA_SIZE; i++)
		arena[i] = (u8)(random_word() % 8 != 0);
	state.reg[RAX] = 0x0101010101010101;
	state.reg[RSI] = MIDDLE + 100 - (how / 18 & 1 ? GS_BASE : 0);
	state.reg[RDI] = MIDDLE - 100;
	state.reg[RCX] = random_word() % 20;
	if (how / 36 & 1)
		state.rflags |= RFLAGS_DF;
	compare(code.bytes, code.length, ALL);
}

static void test_strings(void **unused)
{
	static const u8 opcodes[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

	(void)unused;
	for (u32 i = 0; i < ARRAY_SIZE(opcodes); i++)
		for (u32 how = 0; how < 72 * 10; how++)
			try_string(opcodes[i], how);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	    cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_bit_strings), cmocka_unit_test(test_absolute_moves),
		cmocka_unit_test(test_movnti),	    cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
