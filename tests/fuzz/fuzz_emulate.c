// sources: arch/x86_64/insn/alu.c arch/x86_64/insn/decode.c arch/x86_64/insn/emulate.c arch/x86_64/insn/emulate_string.c arch/x86_64/insn/emulate_table.c arch/x86_64/insn/name.c arch/x86_64/insn/opcode.c
/*
 * The emulator on instructions of any kind, its accesses refused at any point. Whatever it is given: registers change
 * only as far as whole elements are done, RIP and the flags that no emulated instruction has stay, operands are well
 * formed, a write follows a check or is the first access, and the instruction ends. Bytes of the input: mode, the
 * access that is refused (0: none), flags, stack size, then the registers' seed, then the instruction.
 */
#include <stdio.h>
#include <string.h>

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/insn/emulate.h"
#include "arch/x86_64/insn/name.h"
#include "tests/fuzz/fuzz.h"

#define STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define ACCESSES_EACH 3u

static u64 reg[18], reg_at_refusal[18];
static u32 accesses, refuse, stack_bytes;
static u64 checked; /* offset that may be written: MODIFY or CHECK came before */
static bool has_checked;

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static u64 get(void *context, u32 number)
{
	(void)context;
	require(number == EMULATE_RSP || number == EMULATE_RIP || number == EMULATE_RFLAGS,
		"a register that has a place");
	return reg[number];
}

static void set(void *context, u32 number, u64 value)
{
	(void)context;
	require(number == EMULATE_RSP || number == EMULATE_RFLAGS, "a register that nobody may set");
	require(number != EMULATE_RFLAGS || !((reg[number] ^ value) & ~STATUS),
		"a flag that no instruction here changes");
	reg[number] = value;
}

static bool access(void *context, const struct emulate_operand *operand, enum emulate_access how, u64 *value)
{
	u64 mask = operand->size == 8 ? ~0ull : BIT(8 * operand->size) - 1;

	(void)context;
	require(operand->segment <= 5, "a segment that is none");
	require(operand->size == 1 || operand->size == 2 || operand->size == 4 || operand->size == 8,
		"an operand's size");
	require(++accesses <= ACCESSES_EACH * EMULATE_REPETITIONS, "it does not end");
	if (how == EMULATE_WRITE)
		require(!(*value & ~mask), "a value larger than its operand");
	if (accesses == refuse) {
		memcpy(reg_at_refusal, reg, sizeof(reg));
		return false;
	}
	if (how == EMULATE_MODIFY || how == EMULATE_CHECK) {
		has_checked = true;
		checked = operand->offset;
	}
	/* A device that was read must not be read in vain. */
	if (how == EMULATE_WRITE && has_checked)
		require(operand->offset == checked, "a write to another place than was checked");
	if (how == EMULATE_READ || how == EMULATE_MODIFY)
		*value = (0x0123456789abcdefull * accesses) & mask;
	return true;
}

static u32 stack_size(void *context)
{
	(void)context;
	return stack_bytes;
}

static const struct emulate_machine machine = {.get = get, .set = set, .access = access, .stack_size = stack_size};

static void start(const uint8_t *data)
{
	u64 seed = data[4] * 0x9e3779b97f4a7c15ull;

	refuse = data[1];
	for (u32 i = 0; i < 17; i++)
		reg[i] = seed = (seed ^ seed >> 29) * 0xbf58476d1ce4e5b9ull + i;
	reg[1] &= 0x3ff; /* string instructions are to end by themselves, too */
	reg[EMULATE_RFLAGS] =
		RFLAGS_ONE | (data[2] & 0xd5) | (data[2] & 2 ? RFLAGS_DF : 0) | (data[2] & 8 ? RFLAGS_TF : 0);
	stack_bytes = (u32[]){2, 4, 8}[data[3] % 3];
	accesses = 0;
	has_checked = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u64 before[18];
	struct insn insn;

	if (size < 6)
		return 0;
	require(insn_name(data + 5, (u32)size - 5, (enum insn_mode)(data[0] % 3)) != NULL, "no name");
	if (insn_decode(&insn, data + 5, (u32)size - 5, (enum insn_mode)(data[0] % 3)) != OK)
		return 0;
	start(data);
	memcpy(before, reg, sizeof(before));
	switch (emulate(&insn, &machine, NULL, reg)) {
	case EMULATE_UNSUPPORTED:
		require(!accesses && !memcmp(before, reg, sizeof(reg)), "touched what is not supported");
		break;
	case EMULATE_STOPPED:
		require(!memcmp(reg_at_refusal, reg, sizeof(reg)), "went on after a refusal");
		require(insn.rep || insn.repne || !memcmp(before, reg, sizeof(reg)), "half of an instruction");
		break;
	case EMULATE_REPEAT:
		require(insn.rep || insn.repne, "repeats what does not repeat");
		break;
	case EMULATE_DONE:
		require(accesses < refuse || !refuse, "went on after a refusal");
		break;
	}
	return 0;
}
