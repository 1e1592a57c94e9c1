/* A machine for the emulator that keeps what is asked of it. */
#ifndef TESTS_EMULATE_BENCH_H
#define TESTS_EMULATE_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/insn/emulate.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { ES, CS, SS, DS, FS, GS };

/* Each access is kept; reads give `give`, and the one numbered `stop_at` is refused. */
static u64 reg[18], give;
static struct {
	struct emulate_operand operand;
	enum emulate_access how;
	u64 value;
} trace[1100];
static u32 accesses, stop_at, stack_bytes;

/* The stack pointer's place among the general registers is not to be touched. */
static u64 general[16];
#define NOT_RSP 0x5bad5bad5bad5badull

static u64 get(void *context, u32 number)
{
	(void)context;
	assert_true(number == EMULATE_RSP || number == EMULATE_RIP || number == EMULATE_RFLAGS);
	return reg[number];
}

static void set(void *context, u32 number, u64 value)
{
	(void)context;
	assert_true(number == EMULATE_RSP || number == EMULATE_RFLAGS);
	reg[number] = value;
}

static bool access(void *context, const struct emulate_operand *operand, enum emulate_access how, u64 *value)
{
	u64 mask = operand->size == 8 ? ~0ull : BIT(8 * operand->size) - 1;

	(void)context;
	assert_true(accesses < ARRAY_SIZE(trace));
	assert_true(operand->size == 1 || operand->size == 2 || operand->size == 4 || operand->size == 8);
	assert_in_range(operand->segment, ES, GS);
	trace[accesses].operand = *operand;
	trace[accesses].how = how;
	if (how == EMULATE_WRITE)
		assert_int_equal(*value & ~mask, 0);
	else if (how != EMULATE_CHECK)
		*value = give & mask;
	trace[accesses].value = *value;
	return ++accesses != stop_at;
}

static u32 stack_size(void *context)
{
	(void)context;
	return stack_bytes;
}

static const struct emulate_machine machine = {.get = get, .set = set, .access = access, .stack_size = stack_size};

static UNUSED enum emulate_result run_emulator(const struct insn *insn)
{
	enum emulate_result result;

	memcpy(general, reg, sizeof(general));
	general[EMULATE_RSP] = NOT_RSP;
	result = emulate(insn, &machine, NULL, general);
	assert_int_equal(general[EMULATE_RSP], NOT_RSP);
	general[EMULATE_RSP] = reg[EMULATE_RSP];
	memcpy(reg, general, sizeof(general));
	return result;
}

static int setup(void **state)
{
	(void)state;
	memset(reg, 0, sizeof(reg));
	reg[EMULATE_RFLAGS] = RFLAGS_ONE;
	give = 0x8877665544332211;
	stop_at = accesses = 0;
	stack_bytes = 8;
	return 0;
}

#endif
