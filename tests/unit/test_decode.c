// sources: arch/x86_64/insn/decode.c arch/x86_64/insn/opcode.c
/*
 * The decoder by hand-made cases (SDM vol. 2 "Instruction Format"); tests/fuzz/fuzz_decode.c compares it with Zydis at
 * large.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/x86_64/insn/decode.h"

static struct insn insn;

static int decode(enum insn_mode mode, const char *bytes, u32 length)
{
	return insn_decode(&insn, (const u8 *)bytes, length, mode);
}
#define DECODE(mode, bytes) decode(INSN_MODE_##mode, bytes, sizeof(bytes) - 1)
#define OKAY(mode, bytes)                                                                                              \
	do {                                                                                                           \
		assert_int_equal(DECODE(mode, bytes), OK);                                                             \
		assert_int_equal(insn.length, sizeof(bytes) - 1);                                                      \
	} while (0)

static void test_sizes(void **state)
{
	(void)state;
	OKAY(16, "\x8b\x07");
	assert_int_equal(insn.operand_size, 2);
	assert_int_equal(insn.address_size, 2);
	OKAY(16, "\x66\x67\x8b\x07");
	assert_int_equal(insn.operand_size, 4);
	assert_int_equal(insn.address_size, 4);
	OKAY(32, "\x66\x8b\x07");
	assert_int_equal(insn.operand_size, 2);
	OKAY(64, "\x66\x48\x8b\x07"); /* REX.W wins */
	assert_int_equal(insn.operand_size, 8);
	OKAY(64, "\x48\x66\x8b\x07"); /* a REX before another prefix counts for nothing */
	assert_int_equal(insn.operand_size, 2);
	OKAY(64, "\xff\x37"); /* PUSH: 8 bytes without REX.W */
	assert_int_equal(insn.operand_size, 8);
}

static void test_operands(void **state)
{
	(void)state;
	OKAY(64, "\x47\x8b\x44\x8c\x80"); /* mov r8d, [r12 + r9*4 - 128] */
	assert_int_equal(insn.reg, 8);
	assert_int_equal(insn.base, 12);
	assert_int_equal(insn.index, 9);
	assert_int_equal(insn.scale, 4);
	assert_true(insn.displacement == -128);
	assert_int_equal(insn.segment, 3);
	OKAY(64, "\x8b\x05\x10\x00\x00\x00");
	assert_true(insn.rip_relative);
	OKAY(32, "\x8b\x05\x10\x00\x00\x00");
	assert_false(insn.rip_relative);
	assert_int_equal(insn.base, INSN_NO_REGISTER);
	OKAY(64, "\xc7\x03\xff\xff\xff\xff");
	assert_int_equal(insn.immediate_size, 4);
	assert_true(insn.immediate == -1);
	OKAY(32, "\x8b\x44\x24\x04"); /* a base of ESP means SS */
	assert_int_equal(insn.segment, 2);
	OKAY(64, "\x65\x8b\x44\x24\x04");
	assert_int_equal(insn.segment, 5);
	OKAY(64, "\xa1\x88\x77\x66\x55\x44\x33\x22\x11");
	assert_true(insn.displacement == 0x1122334455667788);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_int_equal(DECODE(64, "\x8b"), ERR_RANGE);
	assert_int_equal(DECODE(64, "\x8b\x84\x24\x01"), ERR_RANGE);
	assert_int_equal(DECODE(64, ""), ERR_RANGE);
	assert_int_equal(DECODE(64, "\xf0\x8b\x07"), ERR_INVALID); /* LOCK of a load */
	assert_int_equal(DECODE(64, "\xf0\x01\xc3"), ERR_INVALID); /* LOCK of a register */
	assert_int_equal(DECODE(64, "\x06"), ERR_INVALID);
	assert_int_equal(DECODE(64, "\x0f\x10\x07"), ERR_UNSUPPORTED);
	assert_int_equal(DECODE(64, "\xd9\x07"), ERR_UNSUPPORTED);
	/* Fifteen bytes are an instruction, sixteen are none. */
	OKAY(64, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x8b\x07");
	assert_int_equal(DECODE(64, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x8b\x07"), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
