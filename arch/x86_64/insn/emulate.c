#include "arch/x86_64/insn/emulate.h"

#include "arch/x86_64/insn/emulate_parts.h"

u64 emulate_get(const struct emulation *e, u32 number, u32 size)
{
	if (size == 1 && !e->insn->rex && number >= 4)
		return get(e, number - 4) >> 8 & 0xff;
	return get(e, number) & alu_mask(size);
}

/* One or two bytes: the others stay. */
void emulate_set_part(const struct emulation *e, u32 number, u32 size, u64 value)
{
	bool high = size == 1 && !e->insn->rex && number >= 4;
	u64 mask = high ? 0xff00 : alu_mask(size);

	if (high) {
		number -= 4;
		value <<= 8;
	}
	set(e, number, (value & mask) | (get(e, number) & ~mask));
}

static bool read_operand(const struct emulation *e, u64 *value)
{
	return access(e, &e->operand, EMULATE_READ, value);
}

static bool write_operand(const struct emulation *e, u64 value)
{
	value &= alu_mask(e->operand.size);
	return access(e, &e->operand, EMULATE_WRITE, &value);
}

/* op memory, source: what ADD, CMP, BTS and their like have in common. The flags change only once the memory has. */
static bool operate_on_memory(struct emulation *e, u64 source)
{
	u64 flags = get(e, EMULATE_RFLAGS), value;

	if (!access(e, &e->operand, e->row->discard ? EMULATE_READ : EMULATE_MODIFY, &value))
		return false;
	value = e->row->operation(value, source, e->size, &flags);
	if (!e->row->discard && !write_operand(e, value))
		return false;
	set(e, EMULATE_RFLAGS, flags);
	return true;
}

bool form_rm_reg(struct emulation *e)
{
	return operate_on_memory(e, emulate_get(e, e->insn->reg, e->size));
}

bool form_rm_imm(struct emulation *e)
{
	return operate_on_memory(e, (u64)e->insn->immediate);
}

bool form_reg_rm(struct emulation *e)
{
	u64 flags = get(e, EMULATE_RFLAGS), value;

	if (!read_operand(e, &value))
		return false;
	value = e->row->operation(emulate_get(e, e->insn->reg, e->size), value, e->size, &flags);
	if (!e->row->discard)
		emulate_set(e, e->insn->reg, e->size, value);
	set(e, EMULATE_RFLAGS, flags);
	return true;
}

bool form_store_reg(struct emulation *e)
{
	return write_operand(e, emulate_get(e, e->insn->reg, e->size));
}

bool form_store_imm(struct emulation *e)
{
	return write_operand(e, (u64)e->insn->immediate);
}

bool form_store_rax(struct emulation *e)
{
	return write_operand(e, emulate_get(e, RAX, e->size));
}

bool form_load(struct emulation *e)
{
	u64 value;

	if (!read_operand(e, &value))
		return false;
	emulate_set(e, e->insn->reg, e->size, value);
	return true;
}

bool form_load_rax(struct emulation *e)
{
	u64 value;

	if (!read_operand(e, &value))
		return false;
	emulate_set(e, RAX, e->size, value);
	return true;
}

/* The destination has the operand size, the source row->from; MOVSXD with a 16-bit operand size reads 16 bits only. */
static bool load_extended(struct emulation *e, bool sign)
{
	u32 unused;
	u64 value;

	e->operand.size = (u8)MIN((u32)e->row->from, e->size);
	unused = 64 - 8u * e->operand.size;
	if (!read_operand(e, &value))
		return false;
	if (sign)
		value = (u64)((s64)(value << unused) >> unused);
	emulate_set(e, e->insn->reg, e->size, value);
	return true;
}

bool form_load_zero(struct emulation *e)
{
	return load_extended(e, false);
}

bool form_load_sign(struct emulation *e)
{
	return load_extended(e, true);
}

/* SDM vol. 1 "Bit and Byte Instructions"; vol. 2 "BT": a bit number in a register reaches beyond the operand, signed.
 */
bool form_bit_reg(struct emulation *e)
{
	u32 unused = 64 - 8 * e->size, shift = e->size == 8 ? 6 : e->size == 4 ? 5 : 4;
	u64 bit = emulate_get(e, e->insn->reg, e->size);
	s64 word = (s64)(bit << unused) >> unused >> shift;

	e->operand.offset = (e->operand.offset + (u64)word * e->size) & alu_mask(e->insn->address_size);
	return operate_on_memory(e, bit);
}

bool form_exchange(struct emulation *e)
{
	u64 old;

	if (!access(e, &e->operand, EMULATE_MODIFY, &old) || !write_operand(e, emulate_get(e, e->insn->reg, e->size)))
		return false;
	emulate_set(e, e->insn->reg, e->size, old);
	return true;
}

bool form_exchange_add(struct emulation *e)
{
	u64 flags = get(e, EMULATE_RFLAGS), old;

	if (!access(e, &e->operand, EMULATE_MODIFY, &old) ||
	    !write_operand(e, alu_add(old, emulate_get(e, e->insn->reg, e->size), e->size, &flags)))
		return false;
	emulate_set(e, e->insn->reg, e->size, old);
	set(e, EMULATE_RFLAGS, flags);
	return true;
}

/* SDM "CMPXCHG": the memory gets a write cycle whatever the comparison says. */
bool form_compare_exchange(struct emulation *e)
{
	u64 flags = get(e, EMULATE_RFLAGS), expected = emulate_get(e, RAX, e->size), old;
	bool equal;

	if (!access(e, &e->operand, EMULATE_MODIFY, &old))
		return false;
	equal = old == expected;
	if (!write_operand(e, equal ? emulate_get(e, e->insn->reg, e->size) : old))
		return false;
	alu_sub(expected, old, e->size, &flags);
	if (!equal)
		emulate_set(e, RAX, e->size, old);
	set(e, EMULATE_RFLAGS, flags);
	return true;
}

/* SDM "CMOVcc": the memory is read, and with 4 bytes the upper half cleared, even when the condition does not hold. */
bool form_move_if(struct emulation *e)
{
	u64 value;

	if (!read_operand(e, &value))
		return false;
	if (!alu_condition(e->insn->opcode, get(e, EMULATE_RFLAGS)))
		value = emulate_get(e, e->insn->reg, e->size);
	emulate_set(e, e->insn->reg, e->size, value);
	return true;
}

bool form_set_if(struct emulation *e)
{
	return write_operand(e, alu_condition(e->insn->opcode, get(e, EMULATE_RFLAGS)));
}

static struct emulate_operand stack_operand(const struct emulation *e, u64 pointer, u32 stack_size)
{
	return (struct emulate_operand){.segment = 2, .size = (u8)e->size, .offset = pointer & alu_mask(stack_size)};
}

/* The stack is checked before the source is read: a device's register that is read and lost is lost for good. */
bool form_push(struct emulation *e)
{
	u32 stack_size = e->machine->stack_size(e->context);
	u64 pointer = get(e, RSP) - e->size, value = 0;
	struct emulate_operand stack = stack_operand(e, pointer, stack_size);

	if (!access(e, &stack, EMULATE_CHECK, &value) || !read_operand(e, &value) ||
	    !access(e, &stack, EMULATE_WRITE, &value))
		return false;
	emulate_set(e, RSP, stack_size, pointer);
	return true;
}

static inline u64 effective_address(const struct emulation *e)
{
	const struct insn *insn = e->insn;
	u64 address = (u64)insn->displacement;

	if (insn->base != INSN_NO_REGISTER)
		address += get(e, insn->base);
	if (insn->index != INSN_NO_REGISTER)
		address += get(e, insn->index) * insn->scale;
	if (UNLIKELY(insn->rip_relative))
		address += get(e, EMULATE_RIP) + insn->length;
	return LIKELY(insn->address_size == 8) ? address : address & alu_mask(insn->address_size);
}

/* SDM "POP": a base of ESP counts as after the pop. RSP is no index. */
bool form_pop(struct emulation *e)
{
	u32 stack_size = e->machine->stack_size(e->context);
	u64 pointer = get(e, RSP), mask = alu_mask(stack_size),
	    popped = (pointer & ~mask) | ((pointer + e->size) & mask), value;
	struct emulate_operand stack = stack_operand(e, pointer, stack_size);

	if (e->insn->base == RSP)
		e->operand.offset = (e->operand.offset + popped - pointer) & alu_mask(e->insn->address_size);
	if (!access(e, &stack, EMULATE_READ, &value) || !write_operand(e, value))
		return false;
	emulate_set(e, RSP, stack_size, popped);
	return true;
}

enum emulate_result emulate(const struct insn *insn, const struct emulate_machine *machine, void *context, u64 *general)
{
	struct emulation e;

	e.row = emulate_row(insn);
	if (UNLIKELY(!e.row))
		return EMULATE_UNSUPPORTED;
	e.insn = insn;
	e.machine = machine;
	e.context = context;
	e.general = general;
	e.size = e.row->byte ? 1 : insn->operand_size;
	if (UNLIKELY(e.row->string))
		return emulate_string(&e);
	e.operand.segment = insn->segment;
	e.operand.size = (u8)e.size;
	e.operand.offset = effective_address(&e);
	return e.row->form(&e) ? EMULATE_DONE : EMULATE_STOPPED;
}
