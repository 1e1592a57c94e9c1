/*
 * String instructions (SDM vol. 1 "String Operations", vol. 2 "REP/REPE/REPZ/REPNE/REPNZ"): one element at a time,
 * registers up to date after each, so that a fault or an interrupt finds what the processor would show.
 */
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/insn/emulate_parts.h"

enum { CMPS = 0xa6, SCAS = 0xae };

/* DS:rSI, or another segment by prefix; ES:rDI whatever the prefix. */
static struct emulate_operand source(const struct emulation *e)
{
	u64 offset = get(e, RSI) & alu_mask(e->insn->address_size);

	return (struct emulate_operand){.segment = e->insn->segment, .size = (u8)e->size, .offset = offset};
}

static struct emulate_operand destination(const struct emulation *e)
{
	u64 offset = get(e, RDI) & alu_mask(e->insn->address_size);

	return (struct emulate_operand){.segment = 0, .size = (u8)e->size, .offset = offset};
}

static void step(const struct emulation *e, u32 number)
{
	u64 by = get(e, EMULATE_RFLAGS) & RFLAGS_DF ? -(u64)e->size : e->size;

	emulate_set(e, number, e->insn->address_size, get(e, number) + by);
}

/* The destination is checked before the source is read: what a device gave and nobody got is lost. */
bool form_move(struct emulation *e)
{
	struct emulate_operand from = source(e), to = destination(e);
	u64 value = 0;

	if (!access(e, &to, EMULATE_CHECK, &value) || !access(e, &from, EMULATE_READ, &value) ||
	    !access(e, &to, EMULATE_WRITE, &value))
		return false;
	step(e, RSI);
	step(e, RDI);
	return true;
}

bool form_store(struct emulation *e)
{
	struct emulate_operand to = destination(e);
	u64 value = emulate_get(e, RAX, e->size);

	if (!access(e, &to, EMULATE_WRITE, &value))
		return false;
	step(e, RDI);
	return true;
}

bool form_load_string(struct emulation *e)
{
	struct emulate_operand from = source(e);
	u64 value;

	if (!access(e, &from, EMULATE_READ, &value))
		return false;
	emulate_set(e, RAX, e->size, value);
	step(e, RSI);
	return true;
}

bool form_compare(struct emulation *e)
{
	struct emulate_operand from = source(e), to = destination(e);
	u64 flags = get(e, EMULATE_RFLAGS), first, second;

	if (!access(e, &from, EMULATE_READ, &first) || !access(e, &to, EMULATE_READ, &second))
		return false;
	alu_sub(first, second, e->size, &flags);
	step(e, RSI);
	step(e, RDI);
	set(e, EMULATE_RFLAGS, flags);
	return true;
}

bool form_scan(struct emulation *e)
{
	struct emulate_operand to = destination(e);
	u64 flags = get(e, EMULATE_RFLAGS), value;

	if (!access(e, &to, EMULATE_READ, &value))
		return false;
	alu_sub(emulate_get(e, RAX, e->size), value, e->size, &flags);
	step(e, RDI);
	set(e, EMULATE_RFLAGS, flags);
	return true;
}

/* CMPS and SCAS end where the comparison says so: REPE goes on while equal, REPNE while not. */
static bool compared_enough(const struct emulation *e)
{
	u8 opcode = e->insn->opcode & 0xfe;
	bool equal = get(e, EMULATE_RFLAGS) & RFLAGS_ZF;

	return (opcode == CMPS || opcode == SCAS) && equal != e->insn->rep;
}

enum emulate_result emulate_string(struct emulation *e)
{
	u32 address_size = e->insn->address_size;
	u64 count = get(e, RCX) & alu_mask(address_size);
	u32 left = get(e, EMULATE_RFLAGS) & RFLAGS_TF ? 1 : EMULATE_REPETITIONS;

	/* F2 before the others counts like F3 (SDM leaves it open, processors agree). */
	if (!e->insn->rep && !e->insn->repne)
		return e->row->form(e) ? EMULATE_DONE : EMULATE_STOPPED;
	while (count) {
		if (!left--)
			return EMULATE_REPEAT;
		if (!e->row->form(e))
			return EMULATE_STOPPED;
		emulate_set(e, RCX, address_size, --count);
		if (compared_enough(e))
			break;
	}
	return EMULATE_DONE;
}
