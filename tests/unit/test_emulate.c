// sources: arch/x86_64/insn/alu.c arch/x86_64/insn/decode.c arch/x86_64/insn/emulate.c arch/x86_64/insn/emulate_string.c arch/x86_64/insn/emulate_table.c arch/x86_64/insn/opcode.c arch/x86_64/insn/name.c
/*
 * What the emulator must be besides right on this machine's processor (test_emulate_native.c) and complete
 * (test_emulate_list.c): right in 16- and 32-bit code, and careful about what it touches first. Oracle: SDM vol. 1
 * "Operand Addressing", vol. 2 under each instruction.
 */
#include "arch/x86_64/insn/name.h"
#include "tests/unit/emulate_bench.h"

static enum emulate_result run(enum insn_mode mode, u32 length, const char *bytes)
{
	struct insn insn;

	assert_int_equal(insn_decode(&insn, (const u8 *)bytes, length, mode), OK);
	assert_int_equal(insn.length, length);
	accesses = 0;
	return run_emulator(&insn);
}

#define RUN(mode, bytes)  run(INSN_MODE_##mode, sizeof(bytes) - 1, bytes)
#define DONE(mode, bytes) assert_int_equal(RUN(mode, bytes), EMULATE_DONE)

static void expect(u32 at, enum emulate_access how, u8 segment, u64 offset, u8 size)
{
	assert_true(at < accesses);
	assert_int_equal(trace[at].how, how);
	assert_int_equal(trace[at].operand.segment, segment);
	assert_int_equal(trace[at].operand.offset, offset);
	assert_int_equal(trace[at].operand.size, size);
}

/* The address of MOV AL, m. */
static void expect_address(enum insn_mode mode, u32 length, const char *bytes, u8 segment, u64 offset)
{
	assert_int_equal(run(mode, length, bytes), EMULATE_DONE);
	assert_int_equal(accesses, 1);
	expect(0, EMULATE_READ, segment, offset, 1);
}
#define ADDRESS(mode, bytes, segment, offset)                                                                          \
	expect_address(INSN_MODE_##mode, sizeof(bytes) - 1, bytes, segment, offset)

static void number_registers(void)
{
	for (u32 i = 0; i < 16; i++)
		reg[i] = 0x1111111100001000ull * (i + 1);
	reg[EMULATE_RIP] = 0x40000000;
}

/* SDM table "16-Bit Addressing Forms with the ModR/M Byte"; addresses wrap at 64 KiB. */
static void test_addresses_16(void **state)
{
	(void)state;
	number_registers();
	reg[RBX] = 0x12340100, reg[RSI] = 0x99990020, reg[RDI] = 0x30, reg[RBP] = 0x4000;
	ADDRESS(16, "\x8a\x00", DS, 0x120);
	ADDRESS(16, "\x8a\x01", DS, 0x130);
	ADDRESS(16, "\x8a\x02", SS, 0x4020);
	ADDRESS(16, "\x8a\x03", SS, 0x4030);
	reg[RAX] = 0;
	ADDRESS(16, "\x8a\x04", DS, 0x20);
	ADDRESS(16, "\x8a\x05", DS, 0x30);
	ADDRESS(16, "\x8a\x06\xfe\xff", DS, 0xfffe);
	ADDRESS(16, "\x8a\x07", DS, 0x100);
	ADDRESS(16, "\x8a\x46\xff", SS, 0x3fff);
	ADDRESS(16, "\x8a\x47\x80", DS, 0x80);
	ADDRESS(16, "\x8a\x80\xf0\xff", DS, 0x110);
	ADDRESS(16, "\x8a\x87\x00\xff", DS, 0);
	reg[RBX] = 0xffff;
	ADDRESS(16, "\x8a\x00", DS, 0x1f);
	ADDRESS(16, "\x64\x8a\x02", FS, 0x4020);
	ADDRESS(16, "\xa0\x34\x12", DS, 0x1234);
	ADDRESS(32, "\x67\x8a\x07", DS, 0xffff);
	reg[RBX] = 0x12340100;
	ADDRESS(16, "\x67\x8a\x03", DS, 0x12340100);
	ADDRESS(16, "\x26\x67\x8a\x44\x93\x04", ES, 0x12340100 + 4 * 0x3000 + 4 + 0xcccccccc00000000ull * 0);
}

static void test_addresses_32(void **state)
{
	(void)state;
	number_registers();
	reg[RBX] = 0x8000f000, reg[RSI] = 0xc0000000, reg[RBP] = 0x100, reg[RSP] = 0x200;
	ADDRESS(32, "\x8a\x03", DS, 0x8000f000);
	ADDRESS(32, "\x8a\x04\x5e", DS, 0xc001e000);
	ADDRESS(32, "\x8a\x45\x04", SS, 0x104);
	ADDRESS(32, "\x8a\x04\x24", SS, 0x200);
	ADDRESS(32, "\x8a\x05\x00\x00\x00\xff", DS, 0xff000000);
	ADDRESS(32, "\x8a\x04\x75\x10\x00\x00\x00", DS, 0x80000010);
	ADDRESS(32, "\x8a\x44\x2c\x01", SS, 0x301);
	ADDRESS(32, "\x36\x8a\x03", SS, 0x8000f000);
	ADDRESS(32, "\xa0\x78\x56\x34\xf2", DS, 0xf2345678);
}

static void test_addresses_64(void **state)
{
	(void)state;
	number_registers();
	reg[RBX] = 0xffff800000000000, reg[RSI] = 0x1000, reg[12] = 0x77, reg[13] = 0x1234;
	ADDRESS(64, "\x8a\x03", DS, 0xffff800000000000);
	ADDRESS(64, "\x8a\x84\x33\x00\x00\x00\x80", DS, 0xffff7fff80001000);
	ADDRESS(64, "\x8a\x05\xf0\xff\xff\xff", DS, 0x3ffffff6);
	ADDRESS(64, "\x67\x8a\x05\x00\x00\x00\xc0", DS, 0x7);
	ADDRESS(64, "\x67\x8a\x03", DS, 0);
	ADDRESS(64, "\x41\x8a\x45\x00", DS, 0x1234);
	ADDRESS(64, "\x41\x8a\x04\x24", DS, 0x77);
	ADDRESS(64, "\x42\x8a\x04\x26", DS, 0x1077);
	ADDRESS(64, "\x2e\x8a\x03", DS, 0xffff800000000000);
	ADDRESS(64, "\x65\x8a\x03", GS, 0xffff800000000000);
	ADDRESS(64, "\x64\xa0\x88\x77\x66\x55\x44\x33\x22\x11", FS, 0x1122334455667788);
}

/* The string instructions' index registers and counter have the address size; the rest of them stays, or is cleared by
 * 32 bits. */
static void test_string_registers(void **state)
{
	(void)state;
	reg[RSI] = 0xaaaa0000ffff, reg[RDI] = 0xbbbb00001000, reg[RCX] = 0xcccc00010001;
	DONE(16, "\xf3\xa4");
	assert_int_equal(reg[RSI], 0xaaaa00000000);
	assert_int_equal(reg[RDI], 0xbbbb00001001);
	assert_int_equal(reg[RCX], 0xcccc00010000);
	expect(0, EMULATE_CHECK, ES, 0x1000, 1);
	expect(1, EMULATE_READ, DS, 0xffff, 1);
	expect(2, EMULATE_WRITE, ES, 0x1000, 1);
	assert_int_equal(trace[2].value, 0x11);
	reg[RSI] = 0xffffffff, reg[RDI] = 2;
	reg[EMULATE_RFLAGS] |= RFLAGS_DF;
	DONE(32, "\x64\xa5");
	expect(1, EMULATE_READ, FS, 0xffffffff, 4);
	assert_int_equal(reg[RSI], 0xfffffffb);
	assert_int_equal(reg[RDI], 0xfffffffe);
	reg[RDI] = 0xdddd00000010, reg[RCX] = 0xeeee00000000;
	DONE(64, "\x67\xf3\xaa");
	assert_int_equal(accesses, 0);
	reg[RCX] = 1, reg[RAX] = 0x42;
	DONE(64, "\x67\xf3\xaa");
	expect(0, EMULATE_WRITE, ES, 0x10, 1);
	assert_int_equal(reg[RDI], 0xf);
}

static void test_repetitions_are_bounded(void **state)
{
	(void)state;
	reg[RCX] = 1000;
	assert_int_equal(RUN(64, "\xf3\xab"), EMULATE_REPEAT);
	assert_int_equal(accesses, EMULATE_REPETITIONS);
	assert_int_equal(reg[RCX], 1000 - EMULATE_REPETITIONS);
	assert_int_equal(reg[RDI], 4 * EMULATE_REPETITIONS);
	reg[RCX] = EMULATE_REPETITIONS;
	assert_int_equal(RUN(64, "\xf3\xab"), EMULATE_DONE);
	/* One at a time under TF, and the last ends the instruction. */
	reg[EMULATE_RFLAGS] |= RFLAGS_TF;
	reg[RCX] = 2;
	assert_int_equal(RUN(64, "\xf3\xab"), EMULATE_REPEAT);
	assert_int_equal(accesses, 1);
	assert_int_equal(RUN(64, "\xf3\xab"), EMULATE_DONE);
	assert_int_equal(accesses, 1);
}

/* A fault in the middle: what is done is done, and the rest can be done later. */
static void test_string_stops_between_elements(void **state)
{
	(void)state;
	reg[RCX] = 5, reg[RSI] = 100, reg[RDI] = 200;
	stop_at = 7; /* the third element's first access */
	assert_int_equal(RUN(64, "\xf3\xa4"), EMULATE_STOPPED);
	assert_int_equal(accesses, 7);
	assert_int_equal(reg[RCX], 3);
	assert_int_equal(reg[RSI], 102);
	assert_int_equal(reg[RDI], 202);
	stop_at = 0;
	DONE(64, "\xf3\xa4");
	expect(0, EMULATE_CHECK, ES, 202, 1);
	assert_int_equal(reg[RCX], 0);
}

/* An instruction that is refused at any of its accesses has changed no register. */
static void expect_unchanged(enum insn_mode mode, u32 length, const char *bytes)
{
	u64 was[18];

	number_registers();
	reg[EMULATE_RFLAGS] = RFLAGS_ONE | RFLAGS_CF;
	memcpy(was, reg, sizeof(was));
	stop_at = 0;
	assert_int_equal(run(mode, length, bytes), EMULATE_DONE);
	for (u32 i = accesses; i; i--) {
		memcpy(reg, was, sizeof(was));
		stop_at = i;
		assert_int_equal(run(mode, length, bytes), EMULATE_STOPPED);
		assert_int_equal(accesses, i);
		assert_memory_equal(reg, was, sizeof(was));
	}
	stop_at = 0;
}
#define UNCHANGED(mode, bytes) expect_unchanged(INSN_MODE_##mode, sizeof(bytes) - 1, bytes)

static void test_nothing_changes_when_stopped(void **state)
{
	(void)state;
	UNCHANGED(64, "\x01\x03");	   /* ADD m, r */
	UNCHANGED(64, "\x03\x03");	   /* ADD r, m */
	UNCHANGED(64, "\x39\x03");	   /* CMP */
	UNCHANGED(64, "\x83\x0b\x04");	   /* OR m, imm */
	UNCHANGED(64, "\x87\x03");	   /* XCHG */
	UNCHANGED(64, "\xf0\x0f\xb1\x0b"); /* LOCK CMPXCHG */
	UNCHANGED(64, "\xf0\x0f\xc1\x0b"); /* LOCK XADD */
	UNCHANGED(64, "\x0f\xab\x03");	   /* BTS */
	UNCHANGED(64, "\xff\x03");	   /* INC */
	UNCHANGED(64, "\xff\x33");	   /* PUSH m */
	UNCHANGED(64, "\x8f\x03");	   /* POP m */
	UNCHANGED(64, "\x8a\x23");	   /* MOV AH-with-no-REX, m */
	UNCHANGED(64, "\x48\x0f\xbe\x03"); /* MOVSX */
	UNCHANGED(64, "\xa5");		   /* MOVS */
	UNCHANGED(64, "\xa7");		   /* CMPS */
	UNCHANGED(32, "\xad");		   /* LODS */
	UNCHANGED(16, "\xaf");		   /* SCAS */
}

/* What a write will follow is asked for as such, so that no device is read in vain; flags alone only read. */
static void test_order_of_accesses(void **state)
{
	(void)state;
	reg[RBX] = 0x1000, reg[RSP] = 0x8000;
	DONE(64, "\x09\x03");
	assert_int_equal(accesses, 2);
	expect(0, EMULATE_MODIFY, DS, 0x1000, 4);
	expect(1, EMULATE_WRITE, DS, 0x1000, 4);
	DONE(64, "\x85\x03");
	assert_int_equal(accesses, 1);
	expect(0, EMULATE_READ, DS, 0x1000, 4);
	DONE(64, "\x88\x03");
	assert_int_equal(accesses, 1);
	expect(0, EMULATE_WRITE, DS, 0x1000, 1);
	DONE(64, "\xff\x33");
	assert_int_equal(accesses, 3);
	expect(0, EMULATE_CHECK, SS, 0x7ff8, 8);
	expect(1, EMULATE_READ, DS, 0x1000, 8);
	expect(2, EMULATE_WRITE, SS, 0x7ff8, 8);
	assert_int_equal(reg[RSP], 0x7ff8);
	/* Also when it is not equal, CMPXCHG writes. */
	DONE(64, "\x0f\xb1\x0b");
	assert_int_equal(accesses, 2);
	expect(1, EMULATE_WRITE, DS, 0x1000, 4);
	assert_int_equal(trace[1].value, 0x44332211);
	assert_int_equal(reg[RAX], 0x44332211);
	/* CMOVcc reads although the condition does not hold. */
	reg[RCX] = ~0ull;
	reg[EMULATE_RFLAGS] = RFLAGS_ONE;
	DONE(64, "\x0f\x44\x0b");
	assert_int_equal(accesses, 1);
	assert_int_equal(reg[RCX], 0xffffffff);
}

/* The stack pointer's width is the stack segment's, the data's the operand size. */
static void test_stacks(void **state)
{
	(void)state;
	stack_bytes = 2;
	reg[RSP] = 0xabcd0000;
	DONE(32, "\xff\x36");
	expect(0, EMULATE_CHECK, SS, 0xfffc, 4);
	assert_int_equal(reg[RSP], 0xabcdfffc);
	DONE(32, "\x8f\x06");
	expect(0, EMULATE_READ, SS, 0xfffc, 4);
	assert_int_equal(reg[RSP], 0xabcd0000);
	stack_bytes = 4;
	DONE(16, "\xff\x34");
	expect(0, EMULATE_CHECK, SS, 0xabccfffe, 2);
	/* POP [ESP]: by the popped ESP. */
	reg[RSP] = 0x1000;
	DONE(32, "\x8f\x04\x24");
	expect(1, EMULATE_WRITE, SS, 0x1004, 4);
	stack_bytes = 8;
	DONE(64, "\x66\x8f\x04\x24");
	expect(0, EMULATE_READ, SS, 0x1004, 2);
	expect(1, EMULATE_WRITE, SS, 0x1006, 2);
}

/* 16-bit code: registers' upper halves stay, whatever the processor's width. */
static void test_results_16(void **state)
{
	(void)state;
	reg[RAX] = 0x1122334455667788;
	DONE(16, "\x8b\x07");
	assert_int_equal(reg[RAX], 0x1122334455662211);
	DONE(16, "\x66\x8b\x07");
	assert_int_equal(reg[RAX], 0x44332211);
	DONE(16, "\x8a\x27");
	assert_int_equal(reg[RAX], 0x44331111);
	DONE(16, "\x88\x27");
	assert_int_equal(trace[0].value, 0x11);
	DONE(16, "\x0f\xbe\x07");
	assert_int_equal(reg[RAX], 0x44330011);
}

/* Registers alone never meet a device: refused, not guessed. */
static void test_registers_alone(void **state)
{
	(void)state;
	assert_int_equal(RUN(64, "\x89\xc3"), EMULATE_UNSUPPORTED);
	assert_int_equal(RUN(64, "\x0f\xb6\xc3"), EMULATE_UNSUPPORTED);
	assert_int_equal(RUN(64, "\x90"), EMULATE_UNSUPPORTED);
	assert_int_equal(RUN(32, "\x63\x03"), EMULATE_UNSUPPORTED); /* ARPL */
	assert_int_equal(RUN(64, "\xf7\x23"), EMULATE_UNSUPPORTED); /* MUL */
	assert_int_equal(accesses, 0);
}

static const char *name_of(enum insn_mode mode, const char *bytes, u32 length)
{
	return insn_name((const u8 *)bytes, length, mode);
}
#define NAME(mode, bytes, expected) assert_string_equal(name_of(INSN_MODE_##mode, bytes, sizeof(bytes) - 1), expected)

static void test_names(void **state)
{
	(void)state;
	NAME(64, "\x66\x41\x0f\x6f\x00", "MOVQ or MOVDQA");
	NAME(64, "\x0f\x10\x00", "MOVUPS");
	NAME(64, "\x0f\xae\x00", "FXSAVE");
	NAME(64, "\xf7\x30", "DIV");
	NAME(32, "\xff\x10", "CALL");
	NAME(16, "\xd9\x07", "x87");
	NAME(64, "\xf0\x0f\xc7\x08", "CMPXCHG8B or CMPXCHG16B");
	NAME(64, "\xf3\xcf", "IRET");
	NAME(32, "\x48", "?");
	NAME(64, "\x48", "?");
	NAME(64, "\x66\x0f", "?");
	NAME(64, "", "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_addresses_16, setup),
		cmocka_unit_test_setup(test_addresses_32, setup),
		cmocka_unit_test_setup(test_addresses_64, setup),
		cmocka_unit_test_setup(test_string_registers, setup),
		cmocka_unit_test_setup(test_repetitions_are_bounded, setup),
		cmocka_unit_test_setup(test_string_stops_between_elements, setup),
		cmocka_unit_test_setup(test_nothing_changes_when_stopped, setup),
		cmocka_unit_test_setup(test_order_of_accesses, setup),
		cmocka_unit_test_setup(test_stacks, setup),
		cmocka_unit_test_setup(test_results_16, setup),
		cmocka_unit_test_setup(test_registers_alone, setup),
		cmocka_unit_test_setup(test_names, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
