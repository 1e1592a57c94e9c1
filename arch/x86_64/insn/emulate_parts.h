/* Shared by emulate.c, emulate_table.c and emulate_string.c alone. */
#ifndef ARCH_INSN_EMULATE_PARTS_H
#define ARCH_INSN_EMULATE_PARTS_H

#include "arch/x86_64/insn/alu.h"
#include "arch/x86_64/insn/emulate.h"

enum { RAX, RCX, RDX, RBX, RSP = EMULATE_RSP, RBP, RSI, RDI };

struct emulation;

/* What carries an instruction out; false: access() said no. */
typedef bool (*emulate_form)(struct emulation *e);

struct emulate_row {
	emulate_form form; /* NULL: not supported */
	alu_operation operation;
	bool byte;    /* byte operands */
	bool discard; /* flags only: CMP, TEST, BT */
	bool only_64; /* other modes have another instruction there */
	bool string;  /* one element of it: emulate_string() repeats them */
	u8 from;      /* MOVZX and the like: size of the memory operand; 0: the operand's */
};

struct emulation {
	const struct insn *insn;
	const struct emulate_machine *machine;
	void *context;
	u64 *general;
	const struct emulate_row *row;
	struct emulate_operand operand; /* the one that ModRM or moffs names */
	u32 size;			/* bytes of it and of its register */
};

static inline bool is_kept(u32 number)
{
	return number < 16 && number != EMULATE_RSP;
}

static inline u64 get(const struct emulation *e, u32 number)
{
	return LIKELY(is_kept(number)) ? e->general[number] : e->machine->get(e->context, number);
}

static inline void set(const struct emulation *e, u32 number, u64 value)
{
	if (LIKELY(is_kept(number)))
		e->general[number] = value;
	else
		e->machine->set(e->context, number, value);
}

static inline bool access(const struct emulation *e, const struct emulate_operand *operand, enum emulate_access how,
			  u64 *value)
{
	return e->machine->access(e->context, operand, how, value);
}

/* A general register as an operand of `size` bytes: AH to BH without REX, the upper half cleared by 4. */
u64 emulate_get(const struct emulation *e, u32 number, u32 size);
void emulate_set_part(const struct emulation *e, u32 number, u32 size, u64 value);

static inline void emulate_set(const struct emulation *e, u32 number, u32 size, u64 value)
{
	if (LIKELY(size >= 4))
		set(e, number, size == 4 ? (u32)value : value);
	else
		emulate_set_part(e, number, size, value);
}

/* The row of an instruction; NULL: not in the list. */
const struct emulate_row *emulate_row(const struct insn *insn);
/* MOVS, CMPS, STOS, LODS, SCAS, as often as their prefix says. */
enum emulate_result emulate_string(struct emulation *e);

/* Forms (emulate.c), by operands: destination first. */
bool form_rm_reg(struct emulation *e); /* op r/m, r */
bool form_rm_imm(struct emulation *e); /* op r/m, imm; op r/m */
bool form_reg_rm(struct emulation *e); /* op r, r/m */
bool form_store_reg(struct emulation *e);
bool form_store_imm(struct emulation *e);
bool form_store_rax(struct emulation *e);
bool form_load(struct emulation *e);
bool form_load_rax(struct emulation *e);
bool form_load_zero(struct emulation *e); /* MOVZX */
bool form_load_sign(struct emulation *e); /* MOVSX, MOVSXD */
bool form_bit_reg(struct emulation *e);	  /* BT and the like with the bit's number in a register */
bool form_exchange(struct emulation *e);
bool form_exchange_add(struct emulation *e);
bool form_compare_exchange(struct emulation *e);
bool form_move_if(struct emulation *e); /* CMOVcc */
bool form_set_if(struct emulation *e);	/* SETcc */
bool form_push(struct emulation *e);
bool form_pop(struct emulation *e);

/* One element of a string (emulate_string.c). */
bool form_move(struct emulation *e);
bool form_compare(struct emulation *e);
bool form_store(struct emulation *e);
bool form_load_string(struct emulation *e);
bool form_scan(struct emulation *e);

#endif
